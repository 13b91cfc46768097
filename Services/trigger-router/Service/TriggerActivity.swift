import JSONCoding
import Logging
import Model
import ResourceStore
import Synchronization
import TriggerRouterCore

/// Carries what triggers did into their status: counted in memory on the way of an alert, written behind it, once in a few seconds for
/// each trigger that did something.
///
/// A crash loses the counts of these seconds; the diagnoses themselves are the scheduler's.
final class TriggerActivity: Sendable {
    /// Between two writes.
    static let flushInterval = Duration.seconds(3)

    private let tallies = Mutex<[String: TriggerTally]>([:])
    private let store: any ResourceStore
    private let writesPerTransaction: Int
    private let logger: Logger

    /// - Parameter writesPerTransaction: 1 for a store that takes no more at once.
    init(store: any ResourceStore, writesPerTransaction: Int = 100, logger: Logger) {
        self.store = store
        self.writesPerTransaction = writesPerTransaction
        self.logger = logger
    }

    /// Counts what came of a request's alerts.
    func note(_ alerts: [RoutingPlan.RoutedAlert], at now: Timestamp) {
        tallies.withLock { tallies in
            for result in alerts.lazy.flatMap(\.results) where !result.isUnavailable && result.outcome != .resolved {
                tallies[result.trigger, default: TriggerTally()].note(result, at: now)
            }
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

    /// Writes what was counted since the last time.
    func flush() async {
        let taken = tallies.withLock { tallies in
            defer { tallies = [:] }
            return tallies
        }
        var rest = taken.sorted { $0.key < $1.key }[...]
        while !rest.isEmpty {
            let portion = rest.prefix(writesPerTransaction)
            rest = rest.dropFirst(writesPerTransaction)
            await write(Array(portion))
        }
    }

    private func write(_ portion: [(key: String, value: TriggerTally)]) async {
        do throws(StoreError) {
            var writes: [Write] = []
            for (name, tally) in portion {
                let key = ObjectKey(plural: TriggerSpec.names.plural, namespace: "", name: name)
                // A trigger that is gone has no status to keep.
                guard let object = try await store.get(key) else { continue }
                writes.append(.update(try tally.applied(to: object), ifRevision: object.revision))
            }
            if !writes.isEmpty { try await store.transact(writes) }
        } catch {
            guard portion.count == 1 else {
                // One that was changed in between must not hold up the others.
                for single in portion { await write([single]) }
                return
            }
            if !error.isFinal { putBack(portion) }
            logger.warning("trigger status not written", metadata: ["trigger": "\(portion[0].key)", "cause": "\(error)"])
        }
    }

    /// What could not be written is added to what has been counted meanwhile.
    private func putBack(_ portion: [(key: String, value: TriggerTally)]) {
        tallies.withLock { tallies in
            for (name, tally) in portion { tallies[name] = tally.followed(by: tallies[name]) }
        }
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

extension TriggerTally {
    /// A trigger with its status brought up to date, and nothing else changed: its generation stays.
    fileprivate func applied(to object: StoredObject) throws(StoreError) -> EncodedObject {
        var json = try object.json()
        do {
            json["status"] = try JSON(encoding: applied(to: try object.decode(Trigger.self).status))
        } catch {
            throw .invalid("the status can't be encoded: \(error)")
        }
        return try EncodedObject(json, definition: Trigger.definition)
    }
}
