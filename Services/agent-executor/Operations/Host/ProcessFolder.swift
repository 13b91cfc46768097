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
        var info = stat()
        if !isBelow, fstatat(descriptor, "\(pid)/fd", &info, 0) == 0, info.st_size > 0 { return .counted(Int(info.st_size)) }
        var count = 0
        return try eachDescriptor(of: pid) { _, _ in count += 1 } ?? .counted(count)
    }

    /// Calls the body for each open file of a process, with its number and what it leads to as proc_pid_fd(5) writes it. A target of 4096 bytes or
    /// more is left out.
    ///
    /// - Returns: nil, or why there are none.
    public func eachOpenFile(
        of pid: Int32, _ body: (_ number: Int32, _ target: UnsafeRawBufferPointer) -> Void
    ) throws(HostFiles.Problem) -> Descriptors? {
        let target = target
        return try eachDescriptor(of: pid) { folder, name in
            let count = target.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { readlinkat(folder, name, $0, target.count) } ?? -1 }
            guard count >= 0, count < target.count, let number = Self.number(name) else { return }
            body(number, UnsafeRawBufferPointer(rebasing: target[..<count]))
        }
    }

    private func eachDescriptor(
        of pid: Int32, _ body: (_ folder: Int32, _ name: UnsafePointer<CChar>) -> Void
    ) throws(HostFiles.Problem) -> Descriptors? {
        if stop.isSet { throw .stopped }
        let folder = clinux_open_process(descriptor, isBelow ? 1 : 0, pid, "fd")
        guard folder >= 0 else { return folder == -EACCES || folder == -EPERM ? .refused : .gone }
        guard let stream = fdopendir(folder) else {
            close(folder)
            return .gone
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            if stop.isSet { throw .stopped }
            let first = entry.pointee.d_name.0
            if first == CChar(UInt8(ascii: ".")) { continue }
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            body(folder, UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
        }
        return nil
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
