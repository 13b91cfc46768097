import Digests
public import Model

/// Something that happened to an object, to be told in an event.
public struct EventNote: Sendable, Hashable {
    /// The limits of the kind's schema; longer texts are cut.
    public static let (reasonBytesMax, messageBytesMax) = (128, 1024)

    /// What all notes that are one event have in common.
    struct Topic: Hashable {
        let object: ObjectReference
        let type: EventType
        let reason: String
        /// Nil for what stands for many that differ in it.
        let message: String?
    }

    public let object: ObjectReference
    public let type: EventType
    public let reason: String
    public private(set) var message: String
    /// Whether it stands for others that differ in their message.
    private var isCombined = false

    /// - Parameters:
    ///   - reason: one CamelCase word.
    ///   - message: a sentence; what is the same is counted rather than listed.
    public init(_ object: ObjectReference, _ type: EventType, _ reason: String, _ message: String) {
        self.object = object
        self.type = type
        self.reason = Self.cut(reason, Self.reasonBytesMax)
        self.message = Self.cut(message, Self.messageBytesMax)
    }

    var topic: Topic { Topic(object: object, type: type, reason: reason, message: isCombined ? nil : message) }

    /// The last of many that differ in their message, told as one, in client-go's words.
    var combinedWithSimilar: EventNote {
        var note = self
        note.isCombined = true
        note.message = Self.cut("(combined from similar events): \(message)", Self.messageBytesMax)
        return note
    }

    /// What its event is called: `<object>.<hash>`, the same for every note on the same topic, so that a restart finds it again.
    func name(from component: String) -> String {
        let digest = LengthPrefixedHasher.digest([
            component, object.kind ?? "", object.namespace ?? "", object.name ?? "", object.uid?.rawValue ?? "", type.rawValue, reason,
            isCombined ? "" : message,
        ])
        let hash = Digest.base32(digest[..<10])
        var prefix = (object.name ?? "").prefix(Names.subdomainBytesMax - hash.utf8.count - 1)
        while let last = prefix.last, !last.isLetter, !last.isNumber { prefix = prefix.dropLast() }
        return prefix.isEmpty ? hash : "\(prefix).\(hash)"
    }

    /// Where its event is: beside the object, or with the diagnoses that have no namespace of their own where the object's kind has none.
    var namespace: String { object.namespace ?? API.defaultNamespace }

    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        let mark = "…"
        var kept = ""
        var bytes = mark.utf8.count
        for character in text {
            bytes += character.utf8.count
            guard bytes <= bytesMax else { break }
            kept.append(character)
        }
        return kept + mark
    }
}
