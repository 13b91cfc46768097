import JSONCoding
import Model
import ResourceStore
import Synchronization

/// Watch events as lines of JSON. An event of the store is encoded once and shared by all watches that see it at about the same time.
final class WatchLines: Sendable {
    fileprivate struct Key: Hashable {
        var revision: Int64
        var type: String
    }

    fileprivate struct Recent {
        var lines: [Key: [UInt8]] = [:]
        /// The keys in the order in which they came, as a ring.
        var order: [Key] = []
        var next = 0
    }

    /// Events that are kept encoded. Watches that follow the store closely are within a few events of each other.
    private static let eventsMax = 128
    /// A longer line is encoded for each watch again rather than kept.
    private static let lineBytesMax = 64 * 1024

    private let definition: ResourceDefinition
    private let recent = Mutex(Recent())

    init(_ definition: ResourceDefinition) {
        self.definition = definition
    }

    /// The line of an event, its newline included; with `table` its object in a table of one row.
    func line(_ event: WatchEvent, table: ObjectTable?) throws(StoreError) -> [UInt8] {
        switch event {
        case .added(let object): try line("ADDED", object, table)
        case .modified(let object): try line("MODIFIED", object, table)
        case .deleted(let object): try line("DELETED", object, table)
        case .bookmark(let revision, let endsInitialState): bookmark(revision, endsInitialState, table)
        }
    }

    private func line(_ type: String, _ object: StoredObject, _ table: ObjectTable?) throws(StoreError) -> [UInt8] {
        if let table { return Self.line(type, try table.single(object).encoded()) }
        let key = Key(revision: object.revision, type: type)
        if let known = recent.withLock({ $0.lines[key] }) { return known }
        let line = Self.line(type, object)
        if line.count <= Self.lineBytesMax { recent.withLock { $0.keep(line, key, Self.eventsMax) } }
        return line
    }

    private func bookmark(_ revision: Int64, _ endsInitialState: Bool, _ table: ObjectTable?) -> [UInt8] {
        var metadata: [String: JSON] = ["resourceVersion": .string(String(revision))]
        if endsInitialState { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        let object: JSON =
            if table == nil {
                [
                    "apiVersion": .string(definition.groupVersion.text), "kind": .string(definition.kind), "metadata": .object(metadata),
                ]
            } else {
                [
                    "apiVersion": .string(ObjectTable.apiVersion), "kind": "Table", "columnDefinitions": [], "rows": [],
                    "metadata": .object(metadata),
                ]
            }
        return Self.line("BOOKMARK", object.encoded())
    }

    /// The last line of a watch that cannot go on.
    static func error(_ error: APIError) -> [UInt8] {
        line("ERROR", error.status.encoded())
    }

    private static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        var line = opening(type, objectBytes: object.count)
        line += object
        line += closing
        return line
    }

    private static func line(_ type: String, _ object: StoredObject) -> [UInt8] {
        var line = opening(type, objectBytes: object.bytes.count)
        object.appendEncoded(to: &line)
        line += closing
        return line
    }

    private static let closing: [UInt8] = [UInt8(ascii: "}"), UInt8(ascii: "\n")]

    private static func opening(_ type: String, objectBytes: Int) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(objectBytes + 80)
        line += "{\"type\":\"\(type)\",\"object\":".utf8
        return line
    }
}

extension WatchLines.Recent {
    /// Takes the place of the oldest line once there are `eventsMax`.
    fileprivate mutating func keep(_ line: [UInt8], _ key: WatchLines.Key, _ eventsMax: Int) {
        guard lines.updateValue(line, forKey: key) == nil else { return }
        if order.count < eventsMax {
            order.append(key)
        } else {
            lines[order[next]] = nil
            order[next] = key
            next = (next + 1) % eventsMax
        }
    }
}
