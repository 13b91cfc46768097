import Digests
import Model

/// The accepted tokens of a token file, by their SHA-256: the tokens themselves are not kept.
///
/// One line a token: `CLASS[:NODE] TOKEN`, `#` begins a comment. Classes are `admin`, `receiver`, `service` and `agent:NODE`. In place of
/// the token its digest may stand, `sha256:` and 64 hexadecimal digits: enough to accept it, useless to present it.
struct TokenTable: Sendable {
    static let entriesMax = 20_000
    static let fileBytesMax = 8 << 20
    /// A token shorter than this could be guessed.
    static let tokenBytesMin = 16
    static let tokenBytesMax = 512

    private struct Entry: Sendable {
        let digest: [UInt8]
        let caller: Caller
    }

    /// Entries by the first eight bytes of their digest. Which bucket is looked at tells nothing about a token, since nobody can choose a
    /// digest; the digests in it are compared in constant time.
    private var buckets: [UInt64: [Entry]] = [:]
    private(set) var count = 0

    init() {}

    /// Reads the text of a token file, or says everything that is wrong with it. Faults name lines, never tokens.
    init(parsing text: String) throws(TokenFileFault) {
        var messages: [String] = []
        for (index, rawLine) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let fields = rawLine.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            if fields.isEmpty { continue }
            do throws(TokenLineFault) {
                try add(fields)
            } catch {
                messages.append("line \(index + 1): \(error.message)")
            }
        }
        if !messages.isEmpty { throw TokenFileFault(messages: messages) }
    }

    /// Whom the token of that SHA-256 proves; nil for nobody.
    func caller(ofTokenDigest digest: [UInt8]) -> Caller? {
        var found: Caller?
        for entry in buckets[Self.bucket(digest)] ?? [] where Digest.constantTimeEqual(entry.digest, digest) {
            found = entry.caller
        }
        return found
    }

    private mutating func add(_ fields: [Substring]) throws(TokenLineFault) {
        guard fields.count == 2 else { throw TokenLineFault("has to be CLASS[:NODE] TOKEN") }
        let caller = try Self.caller(fields[0])
        let digest = try Self.digest(fields[1])
        guard count < Self.entriesMax else { throw TokenLineFault("is beyond the limit of \(Self.entriesMax) tokens") }
        let bucket = Self.bucket(digest)
        if let same = buckets[bucket]?.first(where: { $0.digest == digest }) {
            throw TokenLineFault("has the same token as an earlier line, of \(same.caller)")
        }
        buckets[bucket, default: []].append(Entry(digest: digest, caller: caller))
        count += 1
    }

    private static func digest(_ text: Substring) throws(TokenLineFault) -> [UInt8] {
        if text.hasPrefix("sha256:") {
            guard let digest = Digest.bytes(hex: text.dropFirst("sha256:".count)), digest.count == 32 else {
                throw TokenLineFault("sha256: wants 64 hexadecimal digits")
            }
            return digest
        }
        let size = text.utf8.count
        guard (tokenBytesMin...tokenBytesMax).contains(size) else {
            throw TokenLineFault("the token has \(size) bytes; it needs \(tokenBytesMin) to \(tokenBytesMax)")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw TokenLineFault("the token has characters that are not ASCII")
        }
        return Digest.sha256(String(text))
    }

    private static func caller(_ text: Substring) throws(TokenLineFault) -> Caller {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil) {
        case ("admin", nil): return .admin
        case ("receiver", nil): return .receiver
        case ("service", nil): return .service
        case ("agent", let node?) where !node.isEmpty: return .agent(node: NodeName(node))
        case ("agent", _): throw TokenLineFault("an agent's token is of one node: agent:NODE TOKEN")
        default: throw TokenLineFault("the class has to be admin, receiver, service or agent:NODE")
        }
    }

    private static func bucket(_ digest: [UInt8]) -> UInt64 {
        digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

private struct TokenLineFault: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// Everything that is wrong with a token file, without the tokens.
public struct TokenFileFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let messages: [String]

    public var description: String { messages.joined(separator: "; ") }
}
