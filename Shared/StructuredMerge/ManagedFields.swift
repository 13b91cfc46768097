import JSONCoding
import Model

/// Who owns which fields of an object: `metadata.managedFields`.
public struct ManagedFields: Sendable, Hashable {
    public enum Operation: String, Sendable, Hashable {
        case apply = "Apply"
        case update = "Update"
    }

    /// What makes a manager the same one: a program that applies and one that updates are two, even under one name.
    public struct Owner: Sendable, Hashable {
        public var name: String
        public var operation: Operation
        /// Empty for an applier, which is the same one in every version.
        public var apiVersion: String
        /// `status`, or empty for the object itself.
        public var subresource: String

        public init(_ name: String, _ operation: Operation, apiVersion: String, subresource: String = "") {
            self.name = name
            self.operation = operation
            self.apiVersion = operation == .apply ? "" : apiVersion
            self.subresource = subresource
        }
    }

    public struct Entry: Sendable, Hashable {
        public var apiVersion: String
        public var time: Timestamp?
        public var fields: FieldSet

        public init(apiVersion: String, time: Timestamp?, fields: FieldSet) {
            self.apiVersion = apiVersion
            self.time = time
            self.fields = fields
        }
    }

    /// By manager; none of them is without fields.
    public private(set) var entries: [Owner: Entry] = [:]

    /// Entries of managers that update, at most: the oldest are merged into one that is called `ancient-changes`.
    public static let updatersMax = 10
    /// Entries that a request may bring, at most.
    public static let entriesMax = 256
    static let ancientName = "ancient-changes"

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    public subscript(manager: Owner) -> Entry? {
        get { entries[manager] }
        set { entries[manager] = newValue.flatMap { $0.fields.isEmpty ? nil : $0 } }
    }

    /// Takes fields from everyone but `manager`.
    mutating func takeFromOthers(than manager: Owner, _ fields: FieldSet) {
        if fields.isEmpty { return }
        for (other, entry) in entries where other != manager {
            var rest = entry
            rest.fields = entry.fields.subtracting(fields)
            self[other] = rest
        }
    }

    /// Merges the oldest updaters of each version until there are no more than `updatersMax`, or one a version.
    mutating func cap() {
        var firsts: [String: Owner] = [:]
        for (manager, entry) in entries.filter({ $0.key.operation == .update }).sorted(by: Self.isOlder) {
            guard entries.keys.count(where: { $0.operation == .update }) > Self.updatersMax else { return }
            guard let first = firsts[entry.apiVersion] else {
                firsts[entry.apiVersion] = manager
                continue
            }
            let bucket = Owner(Self.ancientName, .update, apiVersion: entry.apiVersion)
            let fields = [first, bucket].compactMap { entries[$0]?.fields }.reduce(entry.fields) { $0.union($1) }
            for former in [first, manager] { entries[former] = nil }
            entries[bucket] = Entry(apiVersion: entry.apiVersion, time: entry.time, fields: fields)
            firsts[entry.apiVersion] = bucket
        }
    }

    private static func isOlder(_ left: (key: Owner, value: Entry), _ right: (key: Owner, value: Entry)) -> Bool {
        let (before, after) = (left.value.time?.wholeSeconds, right.value.time?.wholeSeconds)
        if before != after { return (before?.microseconds ?? 0) < (after?.microseconds ?? 0) }
        return left.key < right.key
    }
}

extension ManagedFields.Owner: Comparable {
    public static func < (left: Self, right: Self) -> Bool {
        (left.name, left.apiVersion, left.subresource, left.operation.rawValue)
            < (right.name, right.apiVersion, right.subresource, right.operation.rawValue)
    }
}
