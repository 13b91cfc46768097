import DirectoryEntries
#if canImport(Glibc)
    import Glibc
#endif

/// Files, with the system's own words when something fails.
enum FileSystem {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    /// The bytes of a file, at most `bytesMax`.
    static func read(_ path: String, bytesMax: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        return try read(descriptor, path, bytesMax: bytesMax)
    }

    static func read(_ descriptor: Int32, _ path: String, bytesMax: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            let code = errno
            if count < 0, code == EINTR { continue }
            if count < 0 { throw failure(path, code) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > bytesMax { throw CommandFailure("\(path) is larger than \(bytesMax) bytes", status: .data) }
        }
    }

    /// Writes beside the file and renames, so that nobody reads half of it.
    static func write(_ text: String, to path: String, mode: mode_t, owner: uid_t? = nil) throws {
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(temporary, errno) }
        let bytes = Array(text.utf8)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        var code = count == bytes.count ? 0 : errno
        if code == 0, let owner, fchown(descriptor, owner, owner) != 0 { code = errno }
        if code == 0, fsync(descriptor) != 0 { code = errno }
        close(descriptor)
        if code == 0, rename(temporary, path) != 0 { code = errno }
        if code != 0 {
            unlink(temporary)
            throw failure(path, code)
        }
    }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: String, mode: mode_t) throws {
        if isDirectory(path) { return }
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        if !parent.isEmpty { try makeDirectory((path.hasPrefix("/") ? "/" : "") + parent, mode: mode) }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure(path, errno) }
    }

    /// Names in a directory, sorted, without those that begin with a dot.
    static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw failure(path, errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = DirectoryStream.name(of: entry)
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The path from the root, with links and `..` resolved where it exists.
    static func absolute(_ path: String) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }

    static func failure(_ path: String, _ code: Int32) -> CommandFailure {
        CommandFailure("\(path): \(message(code))")
    }

    static func message(_ code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, strerror_r(code, base, buffer.count) == 0 else { return "error \(code)" }
            return String(cString: base)
        }
    }
}

/// The environment as values.
enum Environment {
    /// Variables that are set to nothing count as absent.
    static var current: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let separator = text.firstIndex(of: "=") {
                let value = String(text[text.index(after: separator)...])
                if !value.isEmpty { variables[String(text[..<separator])] = value }
            }
            entry += 1
        }
        return variables
    }
}
