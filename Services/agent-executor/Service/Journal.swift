import AgentExecutorCore
import Digests
import JSONCoding
import Model
import ResourceStore

/// What the agent must not forget: accepted jobs, how far they are, how they ended, and cancels of jobs that it never saw.
///
/// A job's own bytes are written once, at acceptance; what changes is a record of its own. Both are keyed by uid and dispatch attempt.
struct Journal: Sendable {
    enum Bucket {
        static let identity = "identity"
        static let jobs = "jobs"
        static let progress = "progress"
        static let finished = "finished"
        static let tombstones = "tombstones"
        static let all = [jobs, progress, finished, tombstones]
    }

    /// How long a tombstone refuses a late `PUT`: far longer than the scheduler goes on sending one attempt.
    static let tombstoneSeconds = 86_400.0

    let store: any ResourceStore
    let identity: JournalIdentity

    /// Opens the journal of a data directory; a directory that was copied gets a new id and starts empty.
    ///
    /// - Returns: the journal, and how many unfinished jobs of another journal were dropped; nil where nothing was copied.
    static func open(store: any ResourceStore, directory: String) async throws -> (journal: Journal, dropped: Int?) {
        let known = try await store.record(bucket: Bucket.identity, key: "self")
        var identity: JournalIdentity
        var writes: [Write] = []
        var dropped: Int?
        if let known, case let recorded = try JSON.decode(JournalIdentity.self, from: known.value),
            let file = JournalIdentity.onDisk(directory), file.journalID == recorded.journalID, file.inode == recorded.inode
        {
            identity = recorded
        } else {
            identity = try JournalIdentity.create(in: directory)
            if known != nil { dropped = try await empty(store) }
        }
        identity.starts += 1
        writes.append(.putRecord(bucket: Bucket.identity, key: "self", value: try JSON.encode(identity)))
        try await store.transact(writes)
        return (Journal(store: store, identity: identity), dropped)
    }

    private static func empty(_ store: any ResourceStore) async throws(StoreError) -> Int {
        var jobs = 0
        for bucket in Bucket.all {
            while case let records = try await store.scanRecords(bucket: bucket, prefix: "", after: nil, limit: 500), !records.isEmpty {
                if bucket == Bucket.jobs { jobs += records.count }
                try await store.transact(records.map { .deleteRecord(bucket: bucket, key: $0.key) })
            }
        }
        return jobs
    }

    func accept(_ key: JobKey, body: [UInt8], progress: JobJournalEntry, replacing old: JobKey?) async throws {
        var writes: [Write] = [
            .putRecord(bucket: Bucket.jobs, key: key.text, value: body),
            .putRecord(bucket: Bucket.progress, key: key.text, value: progress.encoded()),
        ]
        if let old {
            writes.append(.deleteRecord(bucket: Bucket.jobs, key: old.text))
            writes.append(.deleteRecord(bucket: Bucket.progress, key: old.text))
        }
        try await store.transact(writes)
    }

    func save(_ key: JobKey, _ progress: JobJournalEntry) async throws(StoreError) {
        try await store.transact([.putRecord(bucket: Bucket.progress, key: key.text, value: progress.encoded())])
    }

    /// Leaves of acknowledged jobs only what their evidence needs.
    func settle(_ jobs: [(key: JobKey, finished: FinishedJob)]) async throws {
        var writes: [Write] = []
        for job in jobs {
            writes.append(.deleteRecord(bucket: Bucket.jobs, key: job.key.text))
            writes.append(.deleteRecord(bucket: Bucket.progress, key: job.key.text))
            writes.append(
                .putRecord(bucket: Bucket.finished, key: job.key.uid.rawValue, value: try JSON.encode(job.finished)))
        }
        try await store.transact(writes)
    }

    func bury(_ uid: UID, attempt: Int, now: Timestamp) async throws {
        try await store.transact([
            .putRecord(
                bucket: Bucket.tombstones, key: uid.rawValue, value: try JSON.encode(Tombstone(attempt: attempt)),
                expiresAt: now.adding(seconds: Self.tombstoneSeconds))
        ])
    }

    func forget(_ uid: UID) async throws {
        try await store.transact([.deleteRecord(bucket: Bucket.finished, key: uid.rawValue)])
    }

    /// All records of a bucket, decoded.
    func all<Value: Decodable>(_ bucket: String, as type: Value.Type) async throws -> [(key: String, value: Value)] {
        try await all(bucket, as: type) { $0 }
    }

    /// What `summary` makes of all records of a bucket; the records themselves are not held at once.
    func all<Value: Decodable, Summary>(
        _ bucket: String, as type: Value.Type, _ summary: (Value) -> Summary
    ) async throws -> [(key: String, value: Summary)] {
        var found: [(key: String, value: Summary)] = []
        var after: String?
        while true {
            let records = try await store.scanRecords(bucket: bucket, prefix: "", after: after, limit: 500)
            for record in records { found.append((record.key, summary(try JSON.decode(type, from: record.value)))) }
            guard let last = records.last else { return found }
            after = last.key
        }
    }

    func finished(_ uid: UID) async throws -> FinishedJob? {
        guard let record = try await store.record(bucket: Bucket.finished, key: uid.rawValue) else { return nil }
        return try JSON.decode(FinishedJob.self, from: record.value)
    }
}

/// One dispatch of one job.
struct JobKey: Sendable, Hashable, CustomStringConvertible {
    let uid: UID
    let attempt: Int

    var text: String { "\(uid)/\(attempt)" }
    var description: String { text }

    init(uid: UID, attempt: Int) {
        self.uid = uid
        self.attempt = attempt
    }

    init?(parsing text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let attempt = Int(parts[1]) else { return nil }
        self.init(uid: UID(String(parts[0])), attempt: attempt)
    }

    /// A uid that may name files: letters, digits and dashes.
    static func isUID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}

/// What changes of a job.
struct JobJournalEntry: Sendable, Codable, Hashable {
    var clock: JobClock
    var progress: JobProgress
    var evidence: [EvidenceItem]
}

/// What stays of a job once the scheduler has taken its outcome.
struct FinishedJob: Sendable, Codable {
    var attempt: Int
    var namespace: String
    var name: String
    var succeeded: Bool
    var endedAt: Timestamp
    var evidence: [EvidenceItem]
}

struct Tombstone: Sendable, Codable {
    var attempt: Int
}
