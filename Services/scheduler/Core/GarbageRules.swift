import Model

/// Which finished diagnoses go. An unfinished one is never asked about, and children stay for as long as their parent is unfinished.
package struct GarbageRules: Sendable, Hashable {
    /// How long a finished diagnosis is kept.
    package var diagnosisTTLSeconds: Double = 240 * 3600
    package var finishedPerNodeMax = 1000

    package init() {}

    /// A finished diagnosis, reduced to what decides.
    package struct Candidate: Sendable, Hashable, Codable {
        package var uid: UID
        package var namespace: String
        package var name: String
        /// Empty for one that never got a node (and for parents).
        package var node: String
        package var completedAt: Timestamp
        package var ttlSeconds: Double?
        package var parent: UID?

        package init(
            uid: UID, namespace: String, name: String, node: String, completedAt: Timestamp, ttlSeconds: Double? = nil, parent: UID? = nil
        ) {
            self.uid = uid
            self.namespace = namespace
            self.name = name
            self.node = node
            self.completedAt = completedAt
            self.ttlSeconds = ttlSeconds
            self.parent = parent
        }
    }

    /// Up to when the candidate is kept at most.
    package func expiry(of candidate: Candidate) -> Timestamp {
        candidate.completedAt.adding(seconds: min(diagnosisTTLSeconds, candidate.ttlSeconds ?? diagnosisTTLSeconds))
    }

    /// Those of `oldestFirst`, all of one node of which `total` are finished, that go now.
    ///
    /// A spared child does not make room by the back door: the next oldest goes in its place.
    package func doomed(
        among oldestFirst: [Candidate], total: Int, at now: Timestamp, isUnfinished: (UID) -> Bool
    ) -> [Candidate] {
        var surplus = total - finishedPerNodeMax
        return oldestFirst.filter { candidate in
            if let parent = candidate.parent, isUnfinished(parent) { return false }
            guard surplus > 0 || expiry(of: candidate) <= now else { return false }
            surplus -= 1
            return true
        }
    }
}
