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

    /// How many files a process has open, by those of another thread where the first one has ended. Kernels since 6.2 tell it as the size of the
    /// folder; what an older one has is counted.
    public func descriptors(of pid: Int32) throws(HostFiles.Problem) -> Descriptors {
        if let told = toldDescriptors(of: pid) { return .counted(told) }
        return try eachDescriptor(of: pid) { _, _, _ in }
    }

    /// Whether the kernel says at once that a process has files open, which none has that has ended; false also where it does not say.
    public func isKnownToHaveOpenFiles(_ pid: Int32) -> Bool { toldDescriptors(of: pid) != nil }

    private func toldDescriptors(of pid: Int32) -> Int? {
        var info = stat()
        guard !isBelow, fstatat(descriptor, "\(pid)/fd", &info, 0) == 0, info.st_size > 0 else { return nil }
        return Int(info.st_size)
    }

    /// Calls the body for each open file of a process, with the thread that was asked for it (the process itself, or another thread where the first
    /// one has ended), its number and what it leads to as proc_pid_fd(5) writes it. A target of 4096 bytes or more is left out, but counted.
    public func eachOpenFile(
        of pid: Int32, _ body: (_ thread: Int32, _ number: Int32, _ target: UnsafeRawBufferPointer) -> Void
    ) throws(HostFiles.Problem) -> Descriptors {
        let target = target
        return try eachDescriptor(of: pid) { thread, folder, name in
            let count = target.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { readlinkat(folder, name, $0, target.count) } ?? -1 }
            guard count >= 0, count < target.count, let number = Self.number(name) else { return }
            body(thread, number, UnsafeRawBufferPointer(rebasing: target[..<count]))
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
        of pid: Int32, _ body: (_ thread: Int32, _ folder: Int32, _ name: UnsafePointer<CChar>) -> Void
    ) throws(HostFiles.Problem) -> Descriptors {
        let own = try eachEntry("fd", of: pid) { folder, name in body(pid, folder, name) }
        guard own == .counted(0) else { return own }
        // Threads share their files, but one that has ended has none.
        for thread in try otherThreads(of: pid) {
            let shared = try eachEntry("fd", of: thread) { folder, name in body(thread, folder, name) }
            if case .counted(1...) = shared { return shared }
        }
        return own
    }

    /// The threads of a process beside its first, `threadsMax` of them.
    private func otherThreads(of pid: Int32) throws(HostFiles.Problem) -> [Int32] {
        var info = stat()
        // A folder has a link for each folder in it.
        if !isBelow, fstatat(descriptor, "\(pid)/task", &info, 0) != 0 || info.st_nlink <= 3 { return [] }
        var threads: [Int32] = []
        _ = try eachEntry("task", of: pid) { _, name in
            if let thread = Self.number(name), thread != pid, threads.count < Self.threadsMax { threads.append(thread) }
        }
        return threads
    }

    private static let threadsMax = 64

    private func eachEntry(
        _ name: StaticString, of pid: Int32, _ body: (_ folder: Int32, _ name: UnsafePointer<CChar>) -> Void
    ) throws(HostFiles.Problem) -> Descriptors {
        let folder = name.withUTF8Buffer {
            $0.withMemoryRebound(to: CChar.self) { clinux_open_process(descriptor, isBelow ? 1 : 0, pid, $0.baseAddress) }
        }
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
