import JSONCoding
import Model
import ResourceStore
import SchedulerCore

/// The buckets of records that the scheduler keeps beside its objects.
enum Bucket {
    /// `DispatchRecord` by diagnosis uid.
    static let dispatch = "dispatch"
    /// `DedupRecord` by trigger uid and fingerprint.
    static let dedup = "dedup"
    /// Plans as JSON by hash.
    static let plan = "plan"
    /// `GarbageRules.Candidate` by node and completion time.
    static let finished = "finished"
    /// The same, of those with a ttl of their own, by expiry.
    static let expiry = "expiry"
    static let settings = "settings"
}

/// What the scheduler knows of a diagnosis beyond its object; written in the object's transactions.
struct DispatchRecord: Codable, Sendable {
    var namespace: String
    var name: String
    var machine: DiagnosisMachine?
    var aggregate: ParentAggregate?

    var key: ObjectKey { ObjectKey(plural: DiagnosisSpec.names.plural, namespace: namespace, name: name) }
}

/// Whether dispatch is paused, and since when it is not.
struct BrakeRecord: Codable, Sendable {
    static let key = "brake"

    var isPaused: Bool
    var changedAt: Timestamp
}

extension DedupRecord {
    static func key(trigger: UID, fingerprint: String) -> String { "\(trigger)/\(fingerprint)" }
}

extension GarbageRules.Candidate {
    /// By node, then by time: the oldest of a node come first in a scan of its prefix.
    var finishedKey: String { "\(Self.prefix(node: node))\(Self.padded(completedAt))/\(uid)" }

    var expiryKey: String? {
        ttlSeconds.map { "\(Self.padded(completedAt.adding(seconds: $0)))/\(uid)" }
    }

    static func prefix(node: String) -> String { "\(node)/" }

    static func padded(_ time: Timestamp) -> String {
        let digits = String(max(0, time.microseconds))
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    /// The candidate that a finished diagnosis is; nil for an unfinished one.
    init?(_ diagnosis: Diagnosis) {
        guard let status = diagnosis.status, status.phase?.isTerminal == true, let completedAt = status.completionTime else { return nil }
        self.init(
            uid: diagnosis.uid, namespace: diagnosis.namespace, name: diagnosis.name, node: status.nodeName ?? "",
            completedAt: completedAt, ttlSeconds: diagnosis.spec.ttlSecondsAfterFinished.map { Double($0) },
            parent: diagnosis.metadata.labels?[WellKnown.parentLabel].map { UID($0) })
    }

    func putWrites() throws -> [Write] {
        let value = try JSON.encode(self)
        var writes: [Write] = [.putRecord(bucket: Bucket.finished, key: finishedKey, value: value)]
        if let expiryKey { writes.append(.putRecord(bucket: Bucket.expiry, key: expiryKey, value: value)) }
        return writes
    }

    var deleteWrites: [Write] {
        var writes: [Write] = [.deleteRecord(bucket: Bucket.finished, key: finishedKey)]
        if let expiryKey { writes.append(.deleteRecord(bucket: Bucket.expiry, key: expiryKey)) }
        return writes
    }
}
