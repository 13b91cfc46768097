import ResourceStore

/// What has to be put in place of the present rows to see a list as it was: each object that changed since, in its old state or absent.
struct Rewind {
    private struct Past {
        /// Nil where there was no such object.
        let object: StoredObject?
        var existsNow: Bool
    }

    private var pasts: [ListPlace: Past] = [:]
    /// The places in the order of the list, and how many of them the list has gone past.
    private var places: [ListPlace] = []
    private var next = 0

    /// The changes between `revision` and `present`, a state of the database, behind `place`. Throws `.tooOld` when the history does not reach back.
    init(_ query: ListQuery, to revision: Int64, from present: Int64, behind place: ListPlace?, _ history: WatchHistory) throws(StoreError)
    {
        guard revision <= present else { throw .tooOld("revision \(revision) lies ahead of this store, which is at \(present)") }
        let reaches = history.forEachChange(after: revision, upTo: present, WatchHistory.Interest(query)) { change in
            let changed = ListPlace(change.object.key)
            if let place, changed <= place { return }
            if pasts[changed] == nil {
                pasts[changed] = Past(object: change.before, existsNow: change.leavesObject)
            } else {
                pasts[changed]?.existsNow = change.leavesObject
            }
        }
        guard reaches else { throw .tooOld("revision \(revision) is older than this store's history: begin the list anew") }
        places = pasts.keys.sorted()
    }

    var isEmpty: Bool { pasts.isEmpty }

    /// The next objects before `place` (all that are left for nil), each at its turn: there are no rows of theirs now.
    mutating func takeVanished(before place: ListPlace?) -> StoredObject? {
        while next < places.count {
            let candidate = places[next]
            if let place, place <= candidate { return nil }
            next += 1
            if let object = pasts[candidate]?.object { return object }
        }
        return nil
    }

    enum Row {
        /// The row shows the object as it was.
        case unchanged
        case replaced(StoredObject)
        /// There was no such object.
        case absent
    }

    /// What to make of the present row at `place`; to be asked in the order of the list.
    mutating func takeRow(at place: ListPlace) -> Row {
        guard next < places.count, places[next] == place else { return .unchanged }
        next += 1
        return pasts[place]?.object.map(Row.replaced) ?? .absent
    }

    /// How many more objects than now there were behind `place`.
    func surplus(behind place: ListPlace) -> Int {
        pasts.reduce(0) { count, entry in
            guard place < entry.key else { return count }
            return count + (entry.value.object == nil ? 0 : 1) - (entry.value.existsNow ? 1 : 0)
        }
    }
}
