import CLinux
import Glibc

extension HostFiles {
    public static let kernelLogPath = "/dev/kmsg"

    /// The records of the kernel's log that are still in its buffer, oldest first, each as `/dev/kmsg` gives it: `priority,sequence,microseconds
    /// since boot,flags;text`, then continuation lines that begin with a blank (Documentation/ABI/testing/dev-kmsg). A recorded
    /// machine has them in a regular file, one after the other.
    ///
    /// - Parameter bytesMax: for all records together; what is older goes first.
    public func kernelRecords(bytesMax: Int = 4 << 20) throws(Problem) -> [[UInt8]] {
        let fd = clinux_open(rootDescriptor, Self.kernelLogPath, 1)
        guard fd >= 0 else { throw Self.problem(Self.kernelLogPath, -fd) }
        defer { close(fd) }
        let path = Self.kernelLogPath
        switch try Self.status(of: fd, path).kind {
        case .regular: return Self.split(try Self.read(fd, path, bytesMax: bytesMax, stop))
        case .device: return try records(fd, bytesMax: bytesMax)
        default: throw .unreadable(path: path, reason: "it is neither a device nor a regular file")
        }
    }

    private func records(_ fd: Int32, bytesMax: Int) throws(Problem) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var total = 0
        var oldest = 0
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            if stop.isSet { throw .stopped }
            let count = Glibc.read(fd, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EPIPE { continue }  // EPIPE: overwritten meanwhile, the next read goes on
            if count < 0, errno != EAGAIN { throw Self.problem(Self.kernelLogPath, errno) }
            guard count > 0 else { break }
            var record = Array(buffer[..<count])
            if record.last == UInt8(ascii: "\n") { record.removeLast() }
            total += record.count
            records.append(record)
            while total > bytesMax, oldest < records.count {
                total -= records[oldest].count
                records[oldest] = []
                oldest += 1
            }
        }
        return Array(records[oldest...])
    }

    /// Lines that begin with a blank belong to the record before them.
    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var records: [[UInt8]] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: " "), !records.isEmpty {
                records[records.count - 1] += [UInt8(ascii: "\n")] + line
            } else {
                records.append(Array(line))
            }
        }
        return records
    }
}
