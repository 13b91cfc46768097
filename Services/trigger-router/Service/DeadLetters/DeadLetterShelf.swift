import JSONCoding
import Logging
import Model
import ResourceStore
import ServiceKit
import TriggerRouterCore

/// The dead-letter list: what sources brought and nobody could use, durable and bounded.
///
/// A letter is two records of the store, one that lists read and one with the body; which letters there are is known in memory. Writers go
/// one after another, so that memory and store agree.
actor DeadLetterShelf {
    static let letterBucket = "deadletters"
    static let bodyBucket = "deadletter-bodies"
    /// Letters written or removed in one transaction at most.
    private static let lettersPerTransaction = 1000
    /// Between two looks for those that are too old.
    static let purgeInterval = Duration.seconds(300)

    /// Nil where this process has nowhere to keep letters: a replica without a data directory.
    private let store: (any ResourceStore)?
    private let metrics: DeadLetterMetrics
    private let logger: Logger
    private var index: DeadLetterIndex
    private var evicted: [String: Int] = [:]
    private let turnstile = Turnstile()

    init(store: (any ResourceStore)?, limits: DeadLetterIndex.Limits, metrics: DeadLetterMetrics, logger: Logger) {
        self.store = store
        self.metrics = metrics
        self.logger = logger
        index = DeadLetterIndex(limits: limits)
    }

    /// Whether letters can be kept at all; where not, a source has to refuse what it can't use.
    nonisolated var canKeep: Bool { store != nil }

    /// Learns which letters there are; before anything else is asked.
    func load() async throws(StoreError) {
        guard let store else { return }
        var after: String?
        repeat {
            let page = try await store.scanRecords(bucket: Self.letterBucket, prefix: "", after: after, limit: Self.lettersPerTransaction)
            for record in page {
                let letter = try Self.letter(record)
                _ = index.insert(Self.entry(letter, record.value.count), at: letter.time)
            }
            after = page.count == Self.lettersPerTransaction ? page.last?.key : nil
        } while after != nil
        report()
    }

    // MARK: Keeping

    /// Keeps messages that can't be used. They are durable when this returns; where it throws (503) none is, and the source must not let go
    /// of them. A message that is kept already is counted, not doubled.
    @discardableResult
    func keep(_ messages: [UnusableMessage], at now: Timestamp) async throws(APIError) -> [DeadLetter] {
        guard !messages.isEmpty else { return [] }
        guard let store else { throw .unavailable("this router keeps no dead letters: it has no data directory") }
        await turnstile.enter()
        defer { turnstile.leave() }
        var kept: [DeadLetter] = []
        do throws(StoreError) {
            var rest = messages[...]
            while !rest.isEmpty {
                kept += try await write(Array(rest.prefix(Self.lettersPerTransaction)), to: store, at: now)
                rest = rest.dropFirst(Self.lettersPerTransaction)
            }
        } catch {
            throw Self.unavailable(error)
        }
        return kept
    }

    /// Keeps the items of a batch that can't be used, each with its place in it, and tells them as the answer does.
    func keep(_ items: [(index: Int, message: UnusableMessage)], at now: Timestamp) async throws(APIError) -> [UnusableItem] {
        let letters = try await keep(items.map(\.message), at: now)
        return zip(items, letters).map { UnusableItem(index: $0.index, message: $0.message.message, deadLetter: $1.id) }
    }

    private func write(
        _ messages: [UnusableMessage], to store: any ResourceStore, at now: Timestamp
    ) async throws(StoreError) -> [DeadLetter] {
        let former = try await store.records(bucket: Self.letterBucket, keys: messages.map(\.id))
        var letters: [String: (letter: DeadLetter, body: [UInt8])] = [:]
        var order: [String] = []
        for message in messages {
            var new = message.letter(at: now)
            let id = new.letter.id
            if letters[id] == nil { order.append(id) }
            var known = letters[id]?.letter
            if known == nil, let record = former[id] { known = try Self.letter(record) }
            if let known { (new.letter.firstTime, new.letter.count) = (known.firstTime, known.count + 1) }
            letters[id] = new
        }
        // Decided on a copy: the index changes once the store has.
        var next = index
        var gone: [(entry: DeadLetterIndex.Entry, loss: DeadLetterIndex.Loss)] = []
        var values: [String: [UInt8]] = [:]
        for id in order {
            guard let new = letters[id] else { continue }
            let value = try Self.encoded(new.letter)
            values[id] = value
            gone += next.insert(Self.entry(new.letter, value.count), at: now)
        }
        var writes: [Write] = []
        for id in order where next.contains(id) {
            guard let new = letters[id], let value = values[id] else { continue }
            writes.append(.putRecord(bucket: Self.letterBucket, key: id, value: value))
            writes.append(.putRecord(bucket: Self.bodyBucket, key: id, value: new.body))
        }
        for entry in gone.map(\.entry) where !next.contains(entry.id) && index.contains(entry.id) { writes += Self.removal(of: entry.id) }
        try await store.transact(writes)
        index = next
        count(gone)
        for id in order { letters[id].map { metrics.kept($0.letter.source, $0.letter.reason) } }
        return messages.compactMap { letters[$0.id]?.letter }
    }

    private func count(_ gone: [(entry: DeadLetterIndex.Entry, loss: DeadLetterIndex.Loss)]) {
        for (_, loss) in gone {
            evicted[loss.rawValue, default: 0] += 1
            metrics.evicted(loss)
        }
        report()
        guard !gone.isEmpty else { return }
        logger.warning("dead letters given up", metadata: ["count": "\(gone.count)", "limit": "\(gone[0].loss.rawValue)"])
    }

    // MARK: Reading

    /// One page, newest first. Throws a 400 for a continuation that no page gave.
    func page(after: String?, limit: Int, where isWanted: @Sendable (DeadLetterIndex.Entry) -> Bool) async throws(APIError)
        -> DeadLetterList
    {
        guard let page = index.page(after: after, limit: limit, where: isWanted) else {
            throw .badRequest("continue is not what an earlier page gave")
        }
        var list = DeadLetterList(
            items: [], continuation: page.continuation, total: index.count, totalBytes: index.bytes, evicted: evicted)
        guard let store, !page.ids.isEmpty else { return list }
        do throws(StoreError) {
            let records = try await store.records(bucket: Self.letterBucket, keys: page.ids)
            // One that was dropped meanwhile is left out.
            for id in page.ids {
                if let record = records[id] { list.items.append(try Self.letter(record)) }
            }
        } catch {
            throw Self.unavailable(error)
        }
        return list
    }

    /// A letter and as much of its body as is kept; a 404 where there is none of that id.
    func letter(_ id: String) async throws(APIError) -> (letter: DeadLetter, body: [UInt8]) {
        guard let store else { throw .notFound(kind: "DeadLetter", name: id) }
        let found: (letter: DeadLetter, body: [UInt8])?
        do throws(StoreError) {
            let (letter, body) = (
                try await store.record(bucket: Self.letterBucket, key: id), try await store.record(bucket: Self.bodyBucket, key: id)
            )
            found = if let letter, let body { (try Self.letter(letter), body.value) } else { nil }
        } catch {
            throw Self.unavailable(error)
        }
        guard let found else { throw .notFound(kind: "DeadLetter", name: id) }
        return found
    }

    // MARK: Dropping

    /// Removes those that `isWanted`; returns how many went.
    func drop(where isWanted: @Sendable (DeadLetterIndex.Entry) -> Bool) async throws(APIError) -> Int {
        guard let store else { return 0 }
        await turnstile.enter()
        defer { turnstile.leave() }
        guard let ids = index.page(after: nil, limit: .max, where: isWanted)?.ids else { return 0 }
        do throws(StoreError) {
            var rest = ids[...]
            while !rest.isEmpty {
                let portion = rest.prefix(Self.lettersPerTransaction)
                try await store.transact(portion.flatMap(Self.removal))
                for id in portion { index.remove(id) }
                rest = rest.dropFirst(Self.lettersPerTransaction)
            }
        } catch {
            report()
            throw Self.unavailable(error)
        }
        report()
        return ids.count
    }

    /// Removes those that are too old, until the task is cancelled.
    func run() async throws {
        while true {
            await purge(at: WallClock.now())
            try await Task.sleep(for: Self.purgeInterval)
        }
    }

    func purge(at now: Timestamp) async {
        guard let store else { return }
        await turnstile.enter()
        defer { turnstile.leave() }
        var next = index
        let gone = next.shrink(at: now)
        guard !gone.isEmpty else { return }
        do throws(StoreError) {
            var rest = gone[...]
            while !rest.isEmpty {
                try await store.transact(rest.prefix(Self.lettersPerTransaction).flatMap { Self.removal(of: $0.entry.id) })
                rest = rest.dropFirst(Self.lettersPerTransaction)
            }
            index = next
            count(gone)
        } catch {
            logger.warning("old dead letters not removed", metadata: ["cause": "\(error)"])
        }
    }

    // MARK: Records

    private func report() { metrics.report(count: index.count, bytes: index.bytes) }

    private static func removal(of id: String) -> [Write] {
        [.deleteRecord(bucket: letterBucket, key: id), .deleteRecord(bucket: bodyBucket, key: id)]
    }

    private static func entry(_ letter: DeadLetter, _ valueBytes: Int) -> DeadLetterIndex.Entry {
        DeadLetterIndex.Entry(
            id: letter.id, source: letter.source, reason: letter.reason, time: letter.time,
            bytes: valueBytes + min(letter.bytes, UnusableMessage.bodyBytesMax))
    }

    private static func encoded(_ letter: DeadLetter) throws(StoreError) -> [UInt8] {
        do {
            return try JSON.encode(letter)
        } catch {
            throw .invalid("a dead letter can't be encoded: \(error)")
        }
    }

    private static func letter(_ record: Record) throws(StoreError) -> DeadLetter {
        do {
            return try JSON.decode(DeadLetter.self, from: record.value)
        } catch {
            throw .corrupt("dead letter \(record.key): \(error)")
        }
    }

    private static func unavailable(_ error: StoreError) -> APIError {
        .unavailable(
            "the dead letters can't be read or written now", retryAfterSeconds: IntakePipeline.retryAfterSecondsDefault, cause: "\(error)")
    }
}
