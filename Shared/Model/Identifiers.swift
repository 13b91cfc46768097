/// The name of a node, as its agent registered it: a DNS-1123 subdomain of at most 253 bytes.
public struct NodeName: RawRepresentable, Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }

    public var description: String { rawValue }

    public static func < (left: NodeName, right: NodeName) -> Bool { left.rawValue < right.rawValue }
}

/// The uid of an object: a random UUID in lower case, never used again.
public struct UID: RawRepresentable, Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }

    public var description: String { rawValue }

    public static func < (left: UID, right: UID) -> Bool { left.rawValue < right.rawValue }
}

/// What an agent's data directory calls itself: made with the directory and kept for as long as it exists.
public struct JournalID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }

    public var description: String { rawValue }
}
