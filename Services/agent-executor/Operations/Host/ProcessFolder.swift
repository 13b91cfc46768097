import CLinux
import Glibc

/// `/proc`, open, for an operation that reads the same few files of every process: relative to one descriptor and into one buffer, since with some
/// hundred processes paths and buffers of their own cost more than what the kernel does.
public struct ProcessFolder: ~Copyable {
    private let descriptor: Int32
    private let isBelow: Bool
    private let stop: StopFlag
    private var buffer: [UInt8]
    private let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    private let entries = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 8)
    private static let nameOffset = 19
    private static let sizeOffset = 16

    /// - Parameter bytesMax: of one file; what is longer is cut there.
    public init(_ files: HostFiles, bytesMax: Int = 4096) throws(HostFiles.Problem) {
        descriptor = try files.open("/proc")
        isBelow = files.root != "/"
        stop = files.stop
        buffer = [UInt8](repeating: 0, count: bytesMax)
    }

    deinit {
        close(descriptor)
        target.deallocate()
        entries.deallocate()
    }

    /// What a text says that the kernel has of a process, such as `stat`; `parse` gets the bytes and where the text ends in them.
    ///
    /// - Returns: nil also where the process is gone or its file can't be read.
    /// - Throws: `stopped` alone.
    public mutating func read<Value>(
        _ name: StaticString, of pid: Int32, _ parse: ([UInt8], Int) -> Value?
    ) throws(HostFiles.Problem) -> Value? {
        if stop.isSet { throw .stopped }
        let count = buffer.withUnsafeMutableBytes { bytes in
            name.withUTF8Buffer {
                $0.withMemoryRebound(to: CChar.self) {
                    clinux_read_process(descriptor, isBelow ? 1 : 0, pid, $0.baseAddress, bytes.baseAddress, bytes.count)
                }
            }
        }
        return count < 0 ? nil : parse(buffer, count)
    }

    /// A process' open files.
    public enum Descriptors: Sendable, Equatable {
        case counted(Int)
        case refused
        case gone
    }

    /// How many files a process has open. Kernels since 6.2 tell it as the size of the folder; what an older one has is counted.
    public func descriptors(of pid: Int32) throws(HostFiles.Problem) -> Descriptors {
        if let told = toldDescriptors(of: pid) { return .counted(told) }
        return try eachDescriptor(of: pid) { _, _ in }
    }

    /// Whether the kernel says at once that a process has files open, which none has that has ended; false also where it does not say.
    public func isKnownToHaveOpenFiles(_ pid: Int32) -> Bool { toldDescriptors(of: pid) != nil }

    private func toldDescriptors(of pid: Int32) -> Int? {
        var info = stat()
        guard !isBelow, fstatat(descriptor, "\(pid)/fd", &info, 0) == 0, info.st_size > 0 else { return nil }
        return Int(info.st_size)
    }

    /// Calls the body for each open file of a process, with its number and what it leads to as proc_pid_fd(5) writes it. A target of 4096 bytes or
    /// more is left out, but counted.
    public func eachOpenFile(
        of pid: Int32, _ body: (_ number: Int32, _ target: UnsafeRawBufferPointer) -> Void
    ) throws(HostFiles.Problem) -> Descriptors {
        let target = target
        return try eachDescriptor(of: pid) { folder, name in
            let count = target.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { readlinkat(folder, name, $0, target.count) } ?? -1 }
            guard count >= 0, count < target.count, let number = Self.number(name) else { return }
            body(number, UnsafeRawBufferPointer(rebasing: target[..<count]))
        }
    }

    /// How many files a process may have open, its soft limit; nil of a recorded machine and of what may not be asked: its `limits` tell.
    public func openFilesLimit(of pid: Int32) -> UInt64? {
        isBelow ? nil : UInt64(exactly: clinux_open_files_limit(pid))
    }

    /// The CPU time that a process has used, in seconds; nil of a recorded machine: its `stat` tells, if less exactly.
    public func cpuSeconds(of pid: Int32) -> Double? {
        isBelow ? nil : UInt64(exactly: clinux_cpu_time(pid)).map { Double($0) / 1e9 }
    }

    private func eachDescriptor(
        of pid: Int32, _ body: (_ folder: Int32, _ name: UnsafePointer<CChar>) -> Void
    ) throws(HostFiles.Problem) -> Descriptors {
        let folder = clinux_open_process(descriptor, isBelow ? 1 : 0, pid, "fd")
        guard folder >= 0 else { return folder == -EACCES || folder == -EPERM ? .refused : .gone }
        defer { close(folder) }
        var count = 0
        while true {
            if stop.isSet { throw .stopped }
            let filled = clinux_entries(folder, entries.baseAddress, entries.count)
            guard filled > 0 else { return filled == 0 ? .counted(count) : .gone }
            var next = 0
            while next < filled {
                let entry = entries.baseAddress.unsafelyUnwrapped + next
                next += Int(entry.loadUnaligned(fromByteOffset: Self.sizeOffset, as: UInt16.self))
                let name = entry.advanced(by: Self.nameOffset).assumingMemoryBound(to: CChar.self)
                if name.pointee == CChar(UInt8(ascii: ".")) { continue }
                count += 1
                body(folder, name)
            }
        }
    }

    private static func number(_ name: UnsafePointer<CChar>) -> Int32? {
        var value: Int32 = 0
        var index = 0
        while name[index] != 0 {
            let digit = UInt8(bitPattern: name[index]) &- 0x30
            guard digit < 10, index < 9 else { return nil }
            value = value * 10 + Int32(digit)
            index += 1
        }
        return index > 0 ? value : nil
    }
}
