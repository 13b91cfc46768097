#if canImport(Glibc)
    import Glibc
#endif

/// The file that tells whoever started us with `--port 0` which port it became.
enum PortFile {
    /// Writes beside the file and renames, so that a reader sees the whole number or nothing.
    static func write(_ port: UInt16, to path: String) throws(FileReadFault) {
        let temporary = "\(path).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileReader.fault(temporary, errno) }
        let bytes = Array("\(port)\n".utf8)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        let code = errno
        close(descriptor)
        guard count == bytes.count else { throw FileReader.fault(temporary, code) }
        guard rename(temporary, path) == 0 else { throw FileReader.fault(path, errno) }
    }
}
