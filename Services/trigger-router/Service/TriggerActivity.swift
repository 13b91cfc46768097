import JSONCoding
import Logging
import Model
import ResourceStore
import ServiceKit
import Synchronization
import TriggerRouterCore

/// Writes the status of triggers: whether they are in use, and what they did. The latter is counted in memory on the way of an alert and
/// written behind it, once in a few seconds for each trigger that did something.
///
/// A crash loses the counts of these seconds; the diagnoses themselves are the scheduler's.
final class TriggerActivity: Sendable {
    /// Between two writes.
    static let flushInterval = Duration.seconds(3)

    /// What there is to be written about one trigger.
    private struct News: Sendable {
        let name: String
        let tally: TriggerTally?
        let isUnjudged: Bool
    }

    private let tallies = Mutex<[String: TriggerTally]>([:])
    private let store: any ResourceStore
    /// Whose changes are judged; nil for a replica, which leaves that to the owner.
    private let judged: LiveTriggers?
    private let writesPerTransaction: Int
    private let events: TriggerEvents
    private let logger: Logger

    /// - Parameter writesPerTransaction: 1 for a store that takes no more at once.
    init(
        store: any ResourceStore, judging judged: LiveTriggers?, writesPerTransaction: Int, events: TriggerEvents, logger: Logger
    ) {
        self.store = store
        self.judged = judged
        self.writesPerTransaction = writesPerTransaction
        self.events = events
        self.logger = logger
    }

    /// Counts what came of a request's alerts.
    func note(_ alerts: [RoutingPlan.RoutedAlert], at now: Timestamp) {
        events.tell(alerts)
        tallies.withLock { tallies in
            for alert in alerts {
                for result in alert.results where !result.isUnavailable && result.outcome != .resolved {
                    // That another router was first with a scheduled time is as it should be.
                    if alert.alert.origin == .cron, result.outcome == .duplicate { continue }
                    tallies[result.trigger, default: TriggerTally()].note(result, at: now)
                }
            }
        }
    }

    /// A time of a trigger's schedule was handled; with `missed` it was too late for it.
    func note(scheduled time: Timestamp, of trigger: String, missed: TriggerOutcome? = nil, at now: Timestamp) {
        if let missed { events.tell(missed: missed) }
        tallies.withLock { tallies in
            if let missed { tallies[trigger, default: TriggerTally()].note(missed, at: now) }
            tallies[trigger, default: TriggerTally()].note(scheduled: time)
        }
    }

    /// Writes until the task is cancelled, and then what is left.
    func run() async throws {
        while !Task.isCancelled {
            do {
                // The pace of the writes; there is no event to wait for.
                try await Task.sleep(for: Self.flushInterval)
            } catch {
                break
            }
            await flush()
        }
        // The loop's task is cancelled; the last writes must not be.
        await Task { await self.flush() }.value
    }

    /// Writes what has come up since the last time.
    func flush() async {
        let tallies = tallies.withLock { tallies in
            defer { tallies = [:] }
            return tallies
        }
        let unjudged = judged?.takeUnjudged() ?? []
        var rest = unjudged.union(tallies.keys).sorted().map {
            News(name: $0, tally: tallies[$0], isUnjudged: unjudged.contains($0))
        }[...]
        while !rest.isEmpty {
            let portion = rest.prefix(writesPerTransaction)
            rest = rest.dropFirst(writesPerTransaction)
            await write(Array(portion))
        }
    }

    private func write(_ portion: [News]) async {
        do throws(StoreError) {
            var writes: [Write] = []
            var judgements: [(trigger: Trigger, readiness: TriggerReadiness)] = []
            for news in portion {
                let key = ObjectKey(plural: TriggerSpec.names.plural, namespace: "", name: news.name)
                // A trigger that is gone has no status to keep.
                guard let object = try await store.get(key), let update = try Self.updated(object, news) else { continue }
                writes.append(.update(update.encoded, ifRevision: object.revision))
                if let judgement = update.judgement { judgements.append(judgement) }
            }
            if !writes.isEmpty { try await store.transact(writes) }
            for judgement in judgements { events.tell(judgement.trigger, became: judgement.readiness) }
        } catch {
            guard portion.count == 1 else {
                // One that was changed in between must not hold up the others.
                for single in portion { await write([single]) }
                return
            }
            if !error.isFinal { putBack(portion[0]) }
            logger.warning("trigger status not written", metadata: ["trigger": "\(portion[0].name)", "cause": "\(error)"])
        }
    }

    /// What could not be written is added to what has come up meanwhile.
    private func putBack(_ news: News) {
        if let tally = news.tally { tallies.withLock { $0[news.name] = tally.followed(by: $0[news.name]) } }
        if news.isUnjudged { judged?.judgeLater([news.name]) }
    }

    private struct Update {
        let encoded: EncodedObject
        /// Where the trigger has come into use, or gone out of it.
        var judgement: (trigger: Trigger, readiness: TriggerReadiness)?
    }

    /// A trigger with its status brought up to date, and nothing else changed: its generation stays. Nil where the status says it already.
    private static func updated(_ object: StoredObject, _ news: News) throws(StoreError) -> Update? {
        let trigger = try object.decode(Trigger.self)
        var status = trigger.status ?? TriggerStatus()
        if let tally = news.tally { status = tally.applied(to: status) }
        var judgement: (Trigger, TriggerReadiness)?
        if news.isUnjudged {
            let readiness = TriggerReadiness(CompiledTrigger(trigger))
            let before = status.conditions?[TriggerReadiness.conditionType]
            status = readiness.applied(to: status, generation: trigger.metadata.generation, at: WallClock.now())
            let after = status.conditions?[TriggerReadiness.conditionType]
            if before?.status != after?.status || before?.reason != after?.reason { judgement = (trigger, readiness) }
        }
        guard status != trigger.status else { return nil }
        var json = try object.json()
        do {
            json["status"] = try JSON(encoding: status)
        } catch {
            throw .invalid("the status can't be encoded: \(error)")
        }
        return Update(encoded: try EncodedObject(json, definition: Trigger.definition), judgement: judgement)
    }
}

extension StoreError {
    /// Whether trying again can't help.
    fileprivate var isFinal: Bool {
        switch self {
        case .invalid, .corrupt, .unsupported, .closed: true
        default: false
        }
    }
}
