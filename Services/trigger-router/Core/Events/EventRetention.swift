import Model

/// Which events are to go: those that were written too long ago, and the oldest of too many.
public struct EventRetention: Sendable {
    public struct Key: Hashable, Sendable {
        public let namespace: String
        public let name: String

        public init(namespace: String, name: String) {
            self.namespace = namespace
            self.name = name
        }
    }

    /// An event as it was last written.
    public struct Version: Hashable, Sendable {
        public let key: Key
        public let revision: Int64
        public let writtenAt: Timestamp
    }

    private let ttlSeconds: Double
    private let eventsMax: Int
    private var revisions: [Key: Int64] = [:]
    /// In the order of the writes; those that were followed by another are passed over.
    private var versions: [Version] = []
    private var first = 0

    /// - Parameters:
    ///   - ttlSeconds: how long an event stays after its last write.
    ///   - eventsMax: how many stay.
    public init(ttlSeconds: Double, eventsMax: Int) {
        self.ttlSeconds = ttlSeconds
        self.eventsMax = eventsMax
    }

    public var count: Int { revisions.count }
    /// Entries that this takes in memory.
    var versionCount: Int { versions.count }

    /// An event was written, at a time that is not before that of the last one noted.
    public mutating func note(_ key: Key, revision: Int64, at now: Timestamp) {
        guard revision > revisions[key] ?? -1 else { return }
        revisions[key] = revision
        versions.append(Version(key: key, revision: revision, writtenAt: now))
        compact()
    }

    /// An event is gone.
    public mutating func remove(_ key: Key) { revisions[key] = nil }

    /// Events that are to go, the oldest first, at most `limit`; they stay due until they are removed.
    public mutating func due(at now: Timestamp, limit: Int) -> [Version] {
        while first < versions.count, !isCurrent(versions[first]) { first += 1 }
        var excess = max(0, revisions.count - eventsMax)
        var due: [Version] = []
        for version in versions[first...] where isCurrent(version) {
            guard due.count < limit, excess > 0 || now.seconds(since: version.writtenAt) >= ttlSeconds else { break }
            excess -= 1
            due.append(version)
        }
        return due
    }

    private func isCurrent(_ version: Version) -> Bool { revisions[version.key] == version.revision }

    private mutating func compact() {
        guard versions.count > 2 * revisions.count + 1024 else { return }
        versions = versions[first...].filter { isCurrent($0) }
        first = 0
    }
}
