import Digests

#if canImport(Glibc)
    import Glibc
#endif

/// The tokens of an installation, a file each, mode 0600: `admin`, `service`, `receiver`, `agent-NODE`; and what is made of them.
///
/// `accepted` is the token file of the services; `receiver.header` and `admin.header` are for `curl -H @FILE`. Tokens that are there are kept.
struct TokenDirectory {
    let path: String
    /// Whom the files belong to; whoever runs this unless given.
    let owner: uid_t?

    private static let classes = ["admin", "service", "receiver"]
    private static let tokenBytes = 32

    init(path: String, owner: uid_t?) throws {
        self.path = path
        self.owner = owner
        try FileSystem.makeDirectory(path, mode: 0o700)
        if let owner, chown(path, owner, owner) != 0 { throw FileSystem.failure(path, errno) }
    }

    /// Makes what is missing, with a token for each of these nodes beside those that have one.
    func make(agents: [String]) throws {
        var lines = ["# Tokens that the services accept: CLASS[:NODE] TOKEN. Made by kubediag; further lines are kept."]
        var ours: Set<String> = []
        for name in Self.classes {
            let token = try token(in: name)
            lines.append("\(name) \(token)")
            ours.insert(token)
        }
        let known = try FileSystem.names(in: path).filter { $0.hasPrefix("agent-") }.map { String($0.dropFirst("agent-".count)) }
        for node in Set(known + agents).sorted() {
            let token = try token(in: "agent-\(node)")
            lines.append("agent:\(node) \(token)")
            ours.insert(token)
        }
        lines += try furtherLines(except: ours)
        try write(lines.joined(separator: "\n") + "\n", "accepted")
        for name in ["receiver", "admin"] { try write("Authorization: Bearer \(try token(in: name))", "\(name).header") }
    }

    /// Lines of `accepted` that somebody added.
    private func furtherLines(except ours: Set<String>) throws -> [String] {
        guard FileSystem.exists("\(path)/accepted") else { return [] }
        let text = String(decoding: try FileSystem.read("\(path)/accepted", bytesMax: 8 << 20), as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter { line in
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard fields.count == 2 else { return !fields.isEmpty }
            return !ours.contains(String(fields[1]))
        }
    }

    /// The token and the digest that the agent of `node` needs.
    func joinFile(node: String) throws -> String {
        """
        # Join file of node \(node): keep it secret. kubediag agent join --server URL --join-file FILE
        agent:\(node) \(try token(in: "agent-\(node)"))
        service sha256:\(Digest.hex(Digest.sha256(try token(in: "service"))))

        """
    }

    /// Without a newline behind it: some clients that a token file is named to send the file as it is.
    private func token(in name: String) throws -> String {
        let file = "\(path)/\(name)"
        if FileSystem.exists(file) {
            let text = String(decoding: try FileSystem.read(file, bytesMax: 4096), as: UTF8.self)
            guard let token = text.split(whereSeparator: \.isWhitespace).first else {
                throw CommandFailure("\(file) holds no token", hints: ["Delete it, and a new one is made."])
            }
            try write(String(token), name)
            return String(token)
        }
        let token = Digest.randomToken(byteCount: Self.tokenBytes)
        try write(token, name)
        return token
    }

    /// A file that says the same already is left alone, so that nobody reads it anew for nothing.
    private func write(_ text: String, _ name: String) throws {
        let file = "\(path)/\(name)"
        if FileSystem.exists(file), try FileSystem.read(file, bytesMax: 8 << 20) == Array(text.utf8) { return }
        try FileSystem.write(text, to: file, mode: 0o600, owner: owner)
    }
}
