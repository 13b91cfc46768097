#if canImport(Glibc)
    import Glibc
#endif

/// Small files read whole, with the system's own words when that fails.
package enum FileReader {
    /// The bytes of `path`, at most `bytesMax` of them; a larger file is a fault.
    package static func read(_ path: String, bytesMax: Int) throws(FileReadFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(path, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let room = min(65_536, bytesMax + 1 - bytes.count)
            var count = 0
            var code: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
                count = Glibc.read(descriptor, buffer.baseAddress, room)
                code = errno
                filled = max(0, count)
            }
            if count < 0 {
                if code == EINTR { continue }
                throw fault(path, code)
            }
            if count == 0 { return bytes }
            bytes += chunk
            if bytes.count > bytesMax { throw FileReadFault(path: path, message: "is larger than \(bytesMax) bytes") }
        }
    }

    static func fault(_ path: String, _ code: Int32) -> FileReadFault {
        FileReadFault(path: path, message: SystemError.message(code))
    }
}
