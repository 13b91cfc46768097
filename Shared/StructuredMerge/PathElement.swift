import JSONCoding

/// One step of the way from an object's root to a field.
public enum PathElement: Hashable, Sendable {
    /// A member of an object or an entry of a map.
    case field(String)
    /// The item of a list whose key members have these values.
    case key([String: JSON])
    /// The item of a set that is this value.
    case value(JSON)
}

/// The way from an object's root to a field.
public typealias FieldPath = [PathElement]

extension PathElement {
    /// Kubernetes' spelling in `fieldsV1`: `f:name`, `k:{"type":"Ready"}`, `v:"a"`.
    var token: String {
        switch self {
        case .field(let name): "f:\(name)"
        case .key(let members): "k:\(JSON.object(members))"
        case .value(let value): "v:\(value)"
        }
    }

    /// Reads a token; nil for what is none of ours.
    init?(token: String) {
        let text = String(token.dropFirst(2))
        switch token.prefix(2) {
        case "f:": self = .field(text)
        case "k:":
            guard let members = Self.document(text)?.objectValue, !members.isEmpty else { return nil }
            self = .key(members)
        case "v:":
            guard let value = Self.document(text) else { return nil }
            self = .value(value)
        default: return nil
        }
    }

    private static func document(_ text: String) -> JSON? {
        do { return try JSON(parsing: Array(text.utf8)) } catch { return nil }
    }
}

extension PathElement: Comparable {
    public static func < (left: PathElement, right: PathElement) -> Bool { left.token < right.token }
}

extension PathElement: CustomStringConvertible {
    /// As conflicts name it: `.name`, `[type="Ready"]`, `[="a"]`.
    public var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let members): "[" + members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",") + "]"
        case .value(let value): "[=\(value)]"
        }
    }
}

extension [PathElement] {
    /// `.status.conditions[type="Ready"].reason`
    public var fieldDescription: String { map(\.description).joined() }
}
