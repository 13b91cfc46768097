import AgentOperations
import Glibc

extension BuiltInContext {
    /// Writes a file of evidence and returns its path.
    func writeEvidence(_ name: String, _ bytes: [UInt8], _ host: Host) async throws(BuiltInFault) -> String {
        let path = try evidencePath(name)
        return try await host.read { (_) throws(BuiltInFault) in
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw .failed("\(path) can't be made: \(String(cString: strerror(errno)))") }
            defer { close(descriptor) }
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let code = errno
                    unlink(path)
                    throw .failed("\(path) can't be written: \(String(cString: strerror(code)))")
                }
                written += count
            }
            return path
        }
    }
}
