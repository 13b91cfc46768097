import JSONCoding
import Model

/// Why a body is no event that we take: the member's path and what was expected there.
public struct EventFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let path: String
    public let message: String

    public init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// Reads the members of one JSON object, telling a wrong type by its path. An absent member and a null are the same.
struct EventMembers {
    private let members: [String: JSON]
    private let path: String

    init(_ json: JSON, path: String) throws(EventFault) {
        guard case .object(let members) = json else { throw EventFault(path, "expected an object, found \(json.kindDescription)") }
        self.members = members
        self.path = path
    }

    private func at(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func value(_ name: String) -> JSON? {
        guard let value = members[name], !value.isNull else { return nil }
        return value
    }

    /// Text; an empty one counts as absent. Longer texts than `bytesMax` are refused.
    func text(_ name: String, bytesMax: Int = 32_768) throws(EventFault) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue else { throw EventFault(at(name), "expected a string, found \(value.kindDescription)") }
        guard text.utf8.count <= bytesMax else { throw EventFault(at(name), "has \(text.utf8.count) bytes, at most \(bytesMax) are taken") }
        return text.isEmpty ? nil : text
    }

    /// The first of several spellings that is there.
    func text(anyOf names: [String], bytesMax: Int) throws(EventFault) -> String? {
        for name in names {
            if let text = try text(name, bytesMax: bytesMax) { return text }
        }
        return nil
    }

    func requiredText(_ name: String, bytesMax: Int = 32_768) throws(EventFault) -> String {
        guard let text = try text(name, bytesMax: bytesMax) else { throw EventFault(at(name), "is required") }
        return text
    }

    func count(_ name: String) throws(EventFault) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let count = value.integerValue, count >= 0 else { throw EventFault(at(name), "expected a number that is not negative") }
        return count
    }

    func time(_ name: String) throws(EventFault) -> Timestamp? {
        guard let text = try text(name, bytesMax: 64) else { return nil }
        guard let time = Timestamp(text) else {
            throw EventFault(at(name), "expected a time as in RFC 3339, such as 2026-11-22T19:01:58Z")
        }
        return time
    }

    /// The members of an object member; nil where it is absent.
    func object(_ name: String) throws(EventFault) -> EventMembers? {
        guard let value = value(name) else { return nil }
        return try EventMembers(value, path: at(name))
    }

    /// An object's members as text: strings as they are, anything else as its JSON.
    func texts(_ name: String, entriesMax: Int, bytesMax: Int) throws(EventFault) -> [String: String] {
        guard let value = value(name) else { return [:] }
        guard case .object(let entries) = value else { throw EventFault(at(name), "expected an object, found \(value.kindDescription)") }
        guard entries.count <= entriesMax else {
            throw EventFault(at(name), "has \(entries.count) members, at most \(entriesMax) are taken")
        }
        var texts: [String: String] = [:]
        for (key, entry) in entries {
            let text = entry.stringValue ?? String(decoding: entry.encoded(), as: UTF8.self)
            guard text.utf8.count <= bytesMax else {
                throw EventFault("\(at(name)).\(key)", "has \(text.utf8.count) bytes, at most \(bytesMax) are taken")
            }
            texts[key] = text
        }
        return texts
    }
}
