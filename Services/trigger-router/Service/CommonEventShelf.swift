import Digests
import JSONCoding
import Logging
import Model
import ResourceStore
import ServiceKit
import TriggerRouterCore

/// Keeps common events as resources: one for all reports of the same key, with how often it came and whether it is over.
struct CommonEventShelf: Sendable {
    /// How often a write is tried again that another report's came before.
    private static let attemptsMax = 16
    /// Events kept at most, and for how long after the last report; beyond either the oldest go.
    static let eventsMax = 10_000
    static let keptSeconds = 7.0 * 86_400
    /// Between two looks for those that are to go.
    static let purgeInterval = Duration.seconds(300)

    let store: any ResourceStore
    let logger: Logger

    /// A report that was kept.
    struct Kept: Sendable {
        let key: ObjectKey
        /// Nil for one that nothing follows from: an acknowledgement.
        let alert: Alert?
    }

    /// Creates or updates the event of a report. Nil for one of an event that is not known, told by its key alone: there is nothing to end.
    func keep(_ report: CommonEventReport, at now: Timestamp) async throws(APIError) -> Kept? {
        let identity = report.payload?.identity ?? report.dedupKey ?? ""
        let key = ObjectKey(
            plural: CommonEventSpec.names.plural, namespace: API.defaultNamespace, name: Self.name(of: identity))
        do throws(StoreError) {
            for _ in 0..<Self.attemptsMax {
                let former = try await store.get(key)
                do throws(StoreError) {
                    guard let event = try await write(report, key, over: former, at: now) else { return nil }
                    return Kept(key: key, alert: Self.alert(of: event, report))
                } catch StoreError.conflict, StoreError.alreadyExists, StoreError.notFound {
                    continue
                }
            }
            throw .overloaded
        } catch {
            throw .unavailable(
                "the event can't be kept now; send it again", retryAfterSeconds: IntakePipeline.retryAfterSecondsDefault, cause: "\(error)")
        }
    }

    private func write(
        _ report: CommonEventReport, _ key: ObjectKey, over former: StoredObject?, at now: Timestamp
    ) async throws(StoreError) -> CommonEvent? {
        guard let former else {
            guard let payload = report.payload else { return nil }
            var metadata = ObjectMeta(name: key.name, namespace: key.namespace)
            metadata.uid = UID.random()
            metadata.creationTimestamp = now.wholeSeconds
            metadata.generation = 1
            let event = CommonEvent(
                metadata: metadata, spec: payload, status: CommonEventStatus().after(report, at: now, eventTime: payload.timestamp))
            _ = try await store.create(try EncodedObject(event))
            return event
        }
        var event = try former.decode(CommonEvent.self)
        if let payload = report.payload, payload != event.spec {
            event.spec = payload
            event.metadata.generation = (event.metadata.generation ?? 1) + 1
        }
        event.status = (event.status ?? CommonEventStatus()).after(report, at: now, eventTime: report.payload?.timestamp)
        _ = try await store.update(try Self.encoded(event, over: former), ifRevision: former.revision)
        return event
    }

    /// The stored object with the event's spec, status and generation; what others wrote of its metadata stays.
    private static func encoded(_ event: CommonEvent, over former: StoredObject) throws(StoreError) -> EncodedObject {
        var json = try former.json()
        do {
            json["spec"] = try JSON(encoding: event.spec)
            json["status"] = try event.status.map { try JSON(encoding: $0) }
        } catch {
            throw .invalid("the event can't be encoded: \(error)")
        }
        json["metadata"]?["generation"] = event.metadata.generation.map(JSON.integer)
        return try EncodedObject(json, definition: CommonEvent.definition)
    }

    private static func alert(of event: CommonEvent, _ report: CommonEventReport) -> Alert? {
        switch report.action {
        case .trigger: event.spec.alert(startsAt: event.status?.startTime, status: .firing)
        case .resolve: event.spec.alert(startsAt: event.status?.startTime, status: .resolved)
        case .acknowledge: nil
        }
    }

    /// Notes that a diagnosis came of it; a reader's convenience, so that a failure is logged alone.
    func noteDiagnosed(_ kept: Kept) async {
        do throws(StoreError) {
            guard let stored = try await store.get(kept.key) else { return }
            var event = try stored.decode(CommonEvent.self)
            guard event.status?.diagnosed != true else { return }
            event.status?.diagnosed = true
            _ = try await store.update(try Self.encoded(event, over: stored), ifRevision: stored.revision)
        } catch {
            logger.debug("common event not marked as diagnosed", metadata: ["event": "\(kept.key.name)", "cause": "\(error)"])
        }
    }

    private static func name(of identity: String) -> String {
        "ce-" + Digest.base32(Digest.sha256(Array(identity.utf8))[..<16])
    }

    // MARK: Those that are to go

    /// Removes what is too old or too many, until the task is cancelled.
    func run() async throws {
        while true {
            try await Task.sleep(for: Self.purgeInterval)
            do throws(StoreError) {
                try await purge(at: WallClock.now())
            } catch {
                logger.warning("old common events not removed", metadata: ["cause": "\(error)"])
            }
        }
    }

    func purge(at now: Timestamp) async throws(StoreError) {
        var query = ListQuery(plural: CommonEventSpec.names.plural, limit: 500)
        query.continuesInPresent = true
        var all: [(key: ObjectKey, revision: Int64, time: Timestamp)] = []
        repeat {
            let page = try await store.list(query)
            for object in page.items {
                let event = try object.decode(CommonEvent.self)
                let time = event.status?.lastUpdateTime ?? event.metadata.creationTimestamp ?? now
                all.append((object.key, object.revision, time))
            }
            query.continuation = page.continuation
        } while query.continuation != nil
        all.sort { $0.time < $1.time }
        let excess = max(0, all.count - Self.eventsMax)
        for (place, event) in all.enumerated() where place < excess || now.seconds(since: event.time) > Self.keptSeconds {
            do throws(StoreError) {
                try await store.delete(event.key, ifRevision: event.revision)
            } catch StoreError.conflict, StoreError.notFound {
                continue  // reported again meanwhile, or removed by somebody
            }
        }
    }
}

extension CommonEventStatus {
    /// The status after a further report. The trouble begins anew with the first trigger after a resolve.
    fileprivate func after(_ report: CommonEventReport, at now: Timestamp, eventTime: Timestamp?) -> CommonEventStatus {
        var status = self
        status.lastUpdateTime = now
        switch report.action {
        case .trigger:
            status.count = (count ?? 0) + 1
            if startTime == nil || resolved == true {
                status.startTime = eventTime ?? now
                status.diagnosed = nil
            }
            status.resolved = false
        case .acknowledge: status.acknowledged = true
        case .resolve: status.resolved = true
        }
        if report.action == .trigger, resolved == true { status.acknowledged = nil }
        return status
    }
}
