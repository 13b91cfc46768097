import JSONCoding
import Model
import ResourceStore
import Synchronization

/// Watch events as lines of JSON. What the store tells is encoded once, and shared by all watches that want it in the same form.
package final class WatchLines: Sendable {
    fileprivate struct Key: Hashable {
        var revision: Int64
        var type: String
        /// Nil for the object itself, else what of it goes into its row.
        var inclusion: ObjectTable.Inclusion?
        /// The whole second as of which a row's ages were worked out.
        var second: Int64 = 0
    }

    fileprivate struct Recent {
        var lines: [Key: [UInt8]] = [:]
        /// The keys in the order in which they came, from `oldest` on.
        var order: [Key] = []
        var oldest = 0
        var bytes = 0
        var encodings = 0
    }

    /// Lines that are kept, and their bytes in all. Watches that follow the store closely are within a few events of each other.
    private static let linesMax = 512
    private static let bytesMax = 16 << 20

    package let definition: ResourceDefinition
    private let clock: @Sendable () -> Timestamp
    private let recent = Mutex(Recent())

    init(_ definition: ResourceDefinition, clock: @escaping @Sendable () -> Timestamp) {
        self.definition = definition
        self.clock = clock
    }

    /// How many lines of objects were encoded since the start, however many watches they went to.
    package var encodings: Int { recent.withLock { $0.encodings } }

    /// The line of an event, its newline included; with `table` its object in a table of one row, whose ages are those of this moment.
    func line(_ event: WatchEvent, table: ObjectTable?) throws(StoreError) -> [UInt8] {
        switch event {
        case .added(let object): try line("ADDED", object, table)
        case .modified(let object): try line("MODIFIED", object, table)
        case .deleted(let object): try line("DELETED", object, table)
        case .bookmark(let revision, let endsInitialState): bookmark(revision, endsInitialState, table)
        }
    }

    private func line(_ type: String, _ object: StoredObject, _ table: ObjectTable?) throws(StoreError) -> [UInt8] {
        var key = Key(revision: object.revision, type: type)
        guard let table else { return try shared(key) { line throws(StoreError) in object.appendEncoded(to: &line) } }
        let now = clock()
        key.inclusion = table.inclusion
        key.second = now.wholeSeconds.microseconds
        return try shared(key) { line throws(StoreError) in try table.appendSingle(object, now: now, to: &line) }
    }

    /// The line that is kept, or a new one. Who comes while it is made waits for it: many come at once, and making it is short.
    private func shared(_ key: Key, _ appendObject: (inout [UInt8]) throws(StoreError) -> Void) throws(StoreError) -> [UInt8] {
        try recent.withLock { recent throws(StoreError) in
            if let known = recent.lines[key] { return known }
            var line = Self.opening(key.type)
            try appendObject(&line)
            line += Self.closing
            recent.encodings += 1
            recent.keep(line, key, linesMax: Self.linesMax, bytesMax: Self.bytesMax)
            return line
        }
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
        return Self.line("BOOKMARK", object)
    }

    /// The last line of a watch that cannot go on.
    static func error(_ error: APIError) -> [UInt8] {
        opening("ERROR") + error.status.encoded() + closing
    }

    private static func line(_ type: String, _ object: JSON) -> [UInt8] { opening(type) + object.encoded() + closing }

    private static func opening(_ type: String) -> [UInt8] { Array("{\"type\":\"\(type)\",\"object\":".utf8) }

    private static let closing: [UInt8] = [UInt8(ascii: "}"), UInt8(ascii: "\n")]
}

extension WatchLines.Recent {
    /// Takes the place of the oldest lines once there are too many.
    fileprivate mutating func keep(_ line: [UInt8], _ key: WatchLines.Key, linesMax: Int, bytesMax: Int) {
        lines[key] = line
        order.append(key)
        bytes += line.count
        while lines.count > 1, lines.count > linesMax || bytes > bytesMax {
            bytes -= lines.removeValue(forKey: order[oldest])?.count ?? 0
            oldest += 1
        }
        if oldest > linesMax {
            order.removeFirst(oldest)
            oldest = 0
        }
    }
}
