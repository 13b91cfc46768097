#if canImport(Glibc)
    import Glibc
#endif

/// Holds a data directory for one `kubediag up`; the kernel lets go of it however that ends.
struct DataLock {
    private let descriptor: Int32

    init(data: String) throws {
        let path = "\(data)/up.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystem.failure(path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = String(decoding: try FileSystem.read(path, bytesMax: 64), as: UTF8.self).prefix { $0.isNumber }
            close(descriptor)
            throw CommandFailure(
                "already running on \(data)\(holder.isEmpty ? "" : " (pid \(holder))")",
                hints: ["Stop it with Ctrl-C where it runs\(holder.isEmpty ? "" : ", or: kill \(holder)")"])
        }
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, write(descriptor, text, text.count) == text.count else {
            throw FileSystem.failure(path, errno)
        }
    }

    func release() {
        close(descriptor)
    }
}
