import Model

/// What is remembered of a source that fired: kept beside the diagnosis, outlives it, and goes when the interval has passed.
package struct DedupRecord: Sendable, Hashable, Codable {
    /// Nil when the source did not say; an absent start never becomes now.
    package var lastStartsAt: Timestamp?
    package var lastCreatedAt: Timestamp
    package var uid: UID
    package var namespace: String
    package var name: String
    package var trigger: UID

    package init(lastStartsAt: Timestamp?, lastCreatedAt: Timestamp, uid: UID, namespace: String, name: String, trigger: UID) {
        self.lastStartsAt = lastStartsAt
        self.lastCreatedAt = lastCreatedAt
        self.uid = uid
        self.namespace = namespace
        self.name = name
        self.trigger = trigger
    }
}

/// Whether a match of a trigger becomes a diagnosis. Judged by the scheduler's clock.
package enum IntakeJudge {
    package enum Verdict: Sendable, Hashable {
        case create
        /// The same firing was stored; repeats stay duplicates until then.
        case duplicate(of: DedupRecord, until: Timestamp)
        /// It resolved and fired again too soon after the last diagnosis.
        case flapping(DedupRecord, until: Timestamp)
    }

    package static func judge(_ item: IntakeItem, against record: DedupRecord?, at now: Timestamp) -> Verdict {
        guard let record else { return .create }
        let repeats = record.lastCreatedAt.adding(seconds: Double(item.repeatIntervalSeconds))
        // A record from further ahead than the interval comes from a clock that was wrong: nothing must wait for it.
        let isFromTheFuture = record.lastCreatedAt.seconds(since: now) > Double(item.repeatIntervalSeconds)
        if now >= repeats || isFromTheFuture { return .create }
        guard let startsAt = item.startsAt, let last = record.lastStartsAt, startsAt > last else {
            return .duplicate(of: record, until: repeats)
        }
        let refires = record.lastCreatedAt.adding(seconds: Double(item.refireMinSeconds))
        return now >= refires ? .create : .flapping(record, until: min(refires, repeats))
    }

    /// Until when a record must be kept: for as long as it could still decide something.
    package static func expiry(of item: IntakeItem, createdAt: Timestamp) -> Timestamp {
        createdAt.adding(seconds: Double(max(item.repeatIntervalSeconds, item.refireMinSeconds)))
    }
}
