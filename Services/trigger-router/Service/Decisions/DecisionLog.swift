import JSONCoding
import Logging
import Model
import ResourceStore
import ServiceKit
import Synchronization
import TriggerRouterCore

/// What was decided about every alert, event and scheduled time: durable before whoever sent it is answered, and bounded.
///
/// Decisions of requests that come while the disk is busy share the next transaction, and pages. Where the store refuses them, alerts go on:
/// what is lost then is counted. docs/adr/0013-decisions.md has the reasons.
actor DecisionLog {
    static let pageBucket = "decision-pages"
    static let indexBucket = "decision-index"
    static let stateBucket = "decision-log"
    static let stateKey = "state"
    /// A page that has more is not continued by a later transaction, and none that one transaction writes has more.
    private static let continuedPageBytesMax = 16 << 10
    private static let pageBytesMax = 256 << 10
    private static let transactionBytesMax = 2 << 20
    /// Alerts encoded before others get their turn.
    private static let alertsPerTurn = 200
    /// Decisions kept where there is no store.
    private static let unstoredMax = 1000
    static let purgeInterval = Duration.seconds(300)

    typealias Page = DecisionPageIndex.Page

    private struct Line: Sendable {
        let time: Timestamp
        let bytes: [UInt8]
    }

    /// What is kept beside the pages.
    struct State: Codable {
        /// Since when nothing is missing.
        var since: Timestamp
        var lastWebhook: WebhookRecord?
        /// What the store refused; told with the next transaction that it takes.
        var lost: DecisionLoss?
    }

    let store: (any ResourceStore)?
    private let metrics: DecisionMetrics
    private let logger: Logger
    private let turnstile = Turnstile()
    private let budget = Mutex(MissBudget())
    private(set) var index: DecisionPageIndex
    private(set) var state: State
    /// The last page, which may be continued.
    private var tail: (page: Page, bytes: [UInt8])?
    /// In the place of a store.
    private(set) var unstored: [Int64: [UInt8]] = [:]
    /// What waits for the next transaction, and how many requests were added and written.
    private var waiting: [Line] = []
    private var added = 0
    private var written = 0

    init(
        store: (any ResourceStore)?, limits: DecisionPageIndex.Limits, metrics: DecisionMetrics, logger: Logger, now: Timestamp
    ) {
        self.store = store
        self.metrics = metrics
        self.logger = logger
        var limits = limits
        if store == nil { limits.decisionsMax = min(limits.decisionsMax, Self.unstoredMax) }
        index = DecisionPageIndex(limits: limits)
        state = State(since: now)
    }

    /// Learns what there is; before anything else is asked.
    func load() async throws(StoreError) {
        guard let store else { return }
        do throws(any Error) {
            if let record = try await store.record(bucket: Self.stateBucket, key: Self.stateKey) {
                state = try JSON.decode(State.self, from: record.value)
            }
            var after: String?
            repeat {
                let records = try await store.scanRecords(bucket: Self.indexBucket, prefix: "", after: after, limit: 1000)
                for record in records { index.put(try JSON.decode(Page.self, from: record.value)) }
                after = records.count == 1000 ? records.last?.key : nil
            } while after != nil
        } catch let error as StoreError {
            throw error
        } catch {
            throw .corrupt("the decisions: \(error)")
        }
        report()
    }

    // MARK: Recording

    /// Keeps what was decided about the alerts of one request. It is durable when this returns, unless the store refuses it.
    ///
    /// - Parameters:
    ///   - triggers: as the alerts were matched with them.
    ///   - isWhole: whether these are what the request brought, not what is left of one that is known.
    nonisolated func record(
        _ alerts: [RoutingPlan.RoutedAlert], webhook: WebhookRecord, traceID: String?, triggers: TriggerCatalog?, isWhole: Bool = true
    ) async {
        var lines: [Line] = []
        lines.reserveCapacity(alerts.count)
        // Those that match listen too; a scheduled time and a message are held against none.
        var listening: [Alert.Origin: Int] = [:]
        for (place, alert) in alerts.enumerated() {
            if place % Self.alertsPerTurn == Self.alertsPerTurn - 1 { await Task.yield() }
            let origin = alert.alert.origin
            let listeningCount = listening[origin] ?? triggers?.listeningCount(to: origin) ?? 0
            listening[origin] = listeningCount
            let record = DecisionRecord(
                alert, misses: misses(alert, triggers, at: webhook.time), missCount: listeningCount - alert.results.count,
                receiver: webhook.receiver, peer: webhook.peer, traceID: traceID, at: webhook.time)
            lines.append(Line(time: webhook.time, bytes: record.encoded))
        }
        await add(lines, isWhole ? webhook : nil)
    }

    /// Why the triggers that listen to such alerts did not match, those that came nearest first; nil where it would take too long now.
    private nonisolated func misses(
        _ routed: RoutingPlan.RoutedAlert, _ triggers: TriggerCatalog?, at now: Timestamp
    ) -> [TriggerMiss]? {
        guard let triggers, routed.alert.origin != .cron else { return [] }
        guard budget.withLock({ $0.take(triggers.count, at: now) }) else { return nil }
        return triggers.misses(for: routed.alert, limit: DecisionRecord.missesMax, listeningOnly: true).nearest
    }

    private func add(_ lines: [Line], _ webhook: WebhookRecord?) async {
        if let webhook { state.lastWebhook = webhook }
        guard !lines.isEmpty else { return }
        waiting += lines
        added += 1
        let ticket = added
        await turnstile.enter()
        defer { turnstile.leave() }
        // Whoever had the turn before may have written ours beside its own.
        guard written < ticket else { return }
        let upTo = added
        let batch = waiting
        waiting = []
        await write(batch)
        written = upTo
    }

    private func write(_ lines: [Line]) async {
        var rest = lines[...]
        while !rest.isEmpty {
            var bytes = 0
            let portion = rest.prefix { line in
                bytes += line.bytes.count + 1
                return bytes <= Self.transactionBytesMax || bytes == line.bytes.count + 1
            }
            rest = rest.dropFirst(portion.count)
            let start = ContinuousClock.now
            do throws(StoreError) {
                try await write(portion, at: WallClock.now())
            } catch {
                // Alerts are worth more than the note that they came.
                noteLoss(of: portion.count, at: WallClock.now())
                logger.warning("decisions not kept", metadata: ["count": "\(portion.count)", "cause": "\(error)"])
            }
            metrics.writing.observe(ContinuousClock.now - start)
        }
    }

    private func noteLoss(of count: Int, at now: Timestamp) {
        metrics.lost.increment(by: count)
        state.lost = DecisionLoss(count: (state.lost?.count ?? 0) + count, time: now)
        state.since = max(state.since, now)
    }

    /// One transaction: the lines in pages, and what has to go for them.
    private func write(_ lines: ArraySlice<Line>, at now: Timestamp) async throws(StoreError) {
        var next = index
        var pages: [(page: Page, bytes: [UInt8])] = []
        var current: (page: Page, bytes: [UInt8]) = (Page(number: next.nextNumber, at: now), [])
        if let tail, tail.bytes.count < Self.continuedPageBytesMax { current = tail }
        for line in lines {
            if !current.bytes.isEmpty, current.bytes.count + line.bytes.count >= Self.pageBytesMax {
                pages.append(current)
                current = (Page(number: current.page.number + 1, at: now), [])
            }
            current.bytes += line.bytes
            current.bytes.append(UInt8(ascii: "\n"))
            current.page.add(bytes: line.bytes.count + 1, at: line.time)
        }
        pages.append(current)
        for page in pages { next.put(page.page) }
        let gone = next.shrink(at: now)
        var state = state
        if !gone.isEmpty, let oldest = next.pages.first { state.since = max(state.since, oldest.first) }
        if let store {
            var writes = try Self.writes(pages.filter { page in !gone.contains { $0.number == page.page.number } })
            writes += gone.filter { page in index.pages.contains { $0.number == page.number } }.flatMap(Self.removal)
            writes.append(.putRecord(bucket: Self.stateBucket, key: Self.stateKey, value: try Self.encoded(state)))
            try await store.transact(writes)
        } else {
            for page in pages { unstored[page.page.number] = page.bytes }
            for page in gone { unstored[page.number] = nil }
        }
        index = next
        tail = current
        self.state.since = state.since
        note(gone)
    }

    // MARK: What is too old

    /// Removes what is too old, until the task is cancelled.
    func run() async throws {
        while true {
            await purge(at: WallClock.now())
            // Only time makes a decision too old.
            try await Task.sleep(for: Self.purgeInterval)
        }
    }

    func purge(at now: Timestamp) async {
        await turnstile.enter()
        defer { turnstile.leave() }
        var next = index
        let gone = next.shrink(at: now)
        guard !gone.isEmpty else { return }
        var state = state
        state.since = max(state.since, next.pages.first?.first ?? gone.map(\.last).max() ?? state.since)
        do throws(StoreError) {
            if let store {
                var writes = gone.flatMap(Self.removal)
                writes.append(.putRecord(bucket: Self.stateBucket, key: Self.stateKey, value: try Self.encoded(state)))
                try await store.transact(writes)
            } else {
                for page in gone { unstored[page.number] = nil }
            }
            index = next
            self.state.since = state.since
            if let number = tail?.page.number, gone.contains(where: { $0.number == number }) { tail = nil }
            note(gone)
        } catch {
            logger.warning("old decisions not removed", metadata: ["cause": "\(error)"])
        }
    }

    private func note(_ gone: [Page]) {
        metrics.evicted.increment(by: gone.reduce(0) { $0 + $1.count })
        report()
    }

    private func report() { metrics.report(count: index.count, bytes: index.bytes) }
}
