import Model

/// Which dead letters there are, in the order of their last coming, and which have to go.
public struct DeadLetterIndex: Sendable {
    /// What is kept at most; beyond any of these the oldest go.
    public struct Limits: Sendable {
        public var lettersMax: Int
        /// Bodies, headers and all.
        public var bytesMax: Int
        public var ageSecondsMax: Double

        public init(lettersMax: Int, bytesMax: Int, ageSecondsMax: Double) {
            self.lettersMax = lettersMax
            self.bytesMax = bytesMax
            self.ageSecondsMax = ageSecondsMax
        }
    }

    /// The limit that a letter had to go for.
    public enum Loss: String, Sendable, CaseIterable {
        case number
        case bytes
        case age
    }

    /// What is known of a letter without reading it.
    public struct Entry: Sendable, Hashable {
        public let id: String
        public let source: String
        public let reason: String
        public let time: Timestamp
        /// What it takes in the store.
        public let bytes: Int

        public init(id: String, source: String, reason: String, time: Timestamp, bytes: Int) {
            self.id = id
            self.source = source
            self.reason = reason
            self.time = time
            self.bytes = bytes
        }

        fileprivate var order: Order { Order(time: time, id: id) }
    }

    /// Where an entry stands: by time, then id.
    struct Order: Comparable, Hashable {
        let time: Timestamp
        let id: String

        static func < (left: Order, right: Order) -> Bool { (left.time, left.id) < (right.time, right.id) }
    }

    public let limits: Limits
    private var entries: [Entry] = []
    private var times: [String: Timestamp] = [:]
    public private(set) var bytes = 0

    public init(limits: Limits) {
        self.limits = limits
    }

    public var count: Int { entries.count }

    public func contains(_ id: String) -> Bool { times[id] != nil }

    /// Adds a letter, or moves one that came again to the end; removes the oldest beyond the limits and returns them. One that is larger than
    /// all that is kept stays alone.
    public mutating func insert(_ entry: Entry, at now: Timestamp) -> [(entry: Entry, loss: Loss)] {
        remove(entry.id)
        entries.insert(entry, at: place(of: entry.order))
        times[entry.id] = entry.time
        bytes += entry.bytes
        return shrink(at: now)
    }

    /// Removes what is beyond the limits now.
    public mutating func shrink(at now: Timestamp) -> [(entry: Entry, loss: Loss)] {
        var gone: [(entry: Entry, loss: Loss)] = []
        for oldest in entries {
            let count = entries.count - gone.count
            let loss: Loss
            if now.seconds(since: oldest.time) > limits.ageSecondsMax {
                loss = .age
            } else if count > limits.lettersMax {
                loss = .number
            } else if bytes > limits.bytesMax, count > 1 {
                loss = .bytes
            } else {
                break
            }
            gone.append((oldest, loss))
            bytes -= oldest.bytes
            times[oldest.id] = nil
        }
        entries.removeFirst(gone.count)
        return gone
    }

    @discardableResult
    public mutating func remove(_ id: String) -> Entry? {
        guard let time = times.removeValue(forKey: id) else { return nil }
        let entry = entries.remove(at: place(of: Order(time: time, id: id)))
        bytes -= entry.bytes
        return entry
    }

    /// The newest ones that `isWanted`, behind the one that `after` names, and what names the last where there are more. Nil for an `after`
    /// that no page gave.
    public func page(
        after: String?, limit: Int, where isWanted: (Entry) -> Bool
    ) -> (ids: [String], continuation: String?)? {
        var end = entries.endIndex
        if let after {
            guard let order = Self.order(after) else { return nil }
            end = place(of: order)
        }
        var ids: [String] = []
        var last: Entry?
        for entry in entries[..<end].reversed() where isWanted(entry) {
            guard ids.count < limit else { return (ids, last.map(Self.token)) }
            ids.append(entry.id)
            last = entry
        }
        return (ids, nil)
    }

    /// The place of the first entry that is not before `order`.
    private func place(of order: Order) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].order < order { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func token(_ entry: Entry) -> String { "\(entry.time.microseconds).\(entry.id)" }

    private static func order(_ token: String) -> Order? {
        guard let dot = token.firstIndex(of: "."), let microseconds = Int64(token[..<dot]) else { return nil }
        return Order(time: Timestamp(microseconds: microseconds), id: String(token[token.index(after: dot)...]))
    }
}
