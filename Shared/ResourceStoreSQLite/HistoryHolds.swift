/// The revisions whose later changes unfinished lists need: bounded, and each for a time only, so that a client that never comes back costs little.
struct HistoryHolds {
    private struct Hold {
        /// Lists of this revision that have not been read to their end.
        var lists: Int
        var until: ContinuousClock.Instant
    }

    /// Revisions held at once; the lists of any further one have the history that watches have.
    static let revisionsMax = 256

    private var holds: [Int64: Hold] = [:]

    mutating func hold(_ revision: Int64, isFirst: Bool, until: ContinuousClock.Instant) {
        guard holds.count < Self.revisionsMax || holds[revision] != nil else { return }
        holds[revision, default: Hold(lists: isFirst ? 0 : 1, until: until)].until = until
        if isFirst { holds[revision]?.lists += 1 }
    }

    mutating func release(_ revision: Int64) {
        guard let hold = holds[revision] else { return }
        holds[revision] = hold.lists > 1 ? Hold(lists: hold.lists - 1, until: hold.until) : nil
    }

    /// The oldest revision that is held; forgets those whose time is over.
    mutating func oldest(at now: ContinuousClock.Instant) -> Int64? {
        if holds.isEmpty { return nil }
        holds = holds.filter { $0.value.until > now }
        return holds.keys.min()
    }
}
