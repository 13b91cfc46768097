import Digests
import Model

/// What a source brought and nobody can use, on its way to the dead-letter list.
public struct UnusableMessage: Sendable {
    /// Bytes of a body that are kept at most.
    public static let bodyBytesMax = 64 << 10
    /// Header fields kept at most, and bytes of one's value.
    public static let headersMax = 32
    public static let headerBytesMax = 2048
    /// Bytes of a reason's sentence, and of one part of a position.
    static let messageBytesMax = 1024
    static let positionBytesMax = 1024

    /// Why it is here: one CamelCase word.
    public enum Reason: String, Sendable, CaseIterable {
        /// It can't be read: no JSON, or not of the shape that the source takes.
        case malformed = "Malformed"
        /// It can be read, and the scheduler refuses what follows from it for good.
        case rejected = "Rejected"
        /// It is larger than what is taken.
        case tooLarge = "TooLarge"
    }

    /// Who brought it; what replays it is found by this name.
    public var source: String
    /// What tells this message from any other of the source, such as `topic`, `partition` and `offset`.
    public var position: [String: String]
    public var reason: Reason
    public var message: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(
        source: String, position: [String: String] = [:], reason: Reason, message: String,
        headers: [(name: String, value: String)] = [], body: [UInt8]
    ) {
        self.source = source
        self.position = position
        self.reason = reason
        self.message = message
        self.headers = headers
        self.body = body
    }

    /// The same for the same message: a source that tells it again makes no second letter.
    public var id: String {
        var hasher = LengthPrefixedHasher()
        hasher.update(source)
        for (name, value) in position.sorted(by: { $0.key < $1.key }) {
            hasher.update(name)
            hasher.update(value)
        }
        hasher.update(body)
        return "dl-" + Digest.base32(hasher.finalize()[..<16])
    }

    /// The letter as it is kept, and as much of its body.
    public func letter(at now: Timestamp) -> (letter: DeadLetter, body: [UInt8]) {
        var isCut = body.count > Self.bodyBytesMax
        var kept: [String: String] = [:]
        for (name, value) in headers where Self.isKept(name) {
            let name = name.lowercased()
            guard kept.count < Self.headersMax || kept[name] != nil, name.utf8.count <= Self.headerBytesMax else {
                isCut = true
                continue
            }
            if value.utf8.count > Self.headerBytesMax { isCut = true }
            kept[name] = Self.cut(value, Self.headerBytesMax)
        }
        let letter = DeadLetter(
            id: id, source: source, position: position.mapValues { Self.cut($0, Self.positionBytesMax) }, reason: reason.rawValue,
            message: Self.cut(message, Self.messageBytesMax), firstTime: now, time: now, headers: kept, bytes: body.count, truncated: isCut)
        return (letter, Array(body.prefix(Self.bodyBytesMax)))
    }

    /// Fields that say what the body is and whose it was. Only these: others may hold a secret.
    private static func isKept(_ name: String) -> Bool {
        let name = name.lowercased()
        if name.hasPrefix("ce-") || name.hasPrefix("ce_") { return !secretWords.contains { name.contains($0) } }
        return ["content-type", "content-encoding", "user-agent", "traceparent", "x-request-id"].contains(name)
    }

    private static let secretWords = ["auth", "token", "secret", "password", "cookie", "apikey", "api-key", "api_key", "credential"]

    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > bytesMax { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}
