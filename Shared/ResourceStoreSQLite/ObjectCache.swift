import ResourceStore
import Synchronization

/// Objects that were written or got lately, so that they are got without the database and without another thread.
///
/// What is here is what the database shows at that moment: a commit first holds the places of all that it changes, so that nobody finds or puts
/// in anything there, and fills them when it is visible to readers. A get that found nothing claims the place before it reads the
/// database, and puts in what it read only if the place is still its own.
///
/// A table of fixed size in which newer objects take the places of older ones: at most `places` times `objectBytesMax`.
final class ObjectCache: Sendable {
    /// A get's right to put in what it reads.
    struct Claim: Sendable {
        fileprivate let number: UInt64
    }

    enum Lookup: Sendable {
        case found(StoredObject)
        /// Without a claim the place is another's for now.
        case missing(Claim?)
    }

    private enum Place {
        case empty
        case object(StoredObject)
        case claimed(UInt64)
        case held
    }

    private struct State {
        var places = [Place](repeating: .empty, count: ObjectCache.places)
        var lastClaim: UInt64 = 0
        var isClosed = false
    }

    private static let places = 2048
    /// Larger objects are read anew each time.
    private static let objectBytesMax = 16 << 10

    private let state = Mutex(State())

    private static func place(of key: ObjectKey) -> Int { Int(UInt(bitPattern: key.hashValue) % UInt(places)) }

    /// Nothing is found from now on.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.places = [Place](repeating: .empty, count: Self.places)
        }
    }
}

// MARK: - Gets

extension ObjectCache {
    /// The object if it is here. Claims nothing.
    func object(_ key: ObjectKey) -> StoredObject? {
        let place = Self.place(of: key)
        return state.withLock { state in
            guard case .object(let object) = state.places[place], object.key == key else { return nil }
            return object
        }
    }

    func find(_ key: ObjectKey) -> Lookup {
        let place = Self.place(of: key)
        return state.withLock { state in
            switch state.places[place] {
            case .object(let object) where object.key == key: return .found(object)
            case .held: return .missing(nil)
            case .empty, .object, .claimed:
                if state.isClosed { return .missing(nil) }
                state.lastClaim += 1
                state.places[place] = .claimed(state.lastClaim)
                return .missing(Claim(number: state.lastClaim))
            }
        }
    }

    /// Ends a claim with what the database has under the key.
    func put(_ object: StoredObject?, _ key: ObjectKey, _ claim: Claim?) {
        guard let claim else { return }
        let place = Self.place(of: key)
        state.withLock { state in
            guard case .claimed(claim.number) = state.places[place] else { return }
            state.places[place] = Self.content(object)
        }
    }

    private static func content(_ object: StoredObject?) -> Place {
        guard let object, object.bytes.count <= objectBytesMax else { return .empty }
        return .object(object)
    }
}

// MARK: - Commits

extension ObjectCache {
    /// Before the commit: whoever wants one of these objects asks the database.
    func hold(_ changes: [Change]) {
        state.withLock { state in
            for change in changes { state.places[Self.place(of: change.object.key)] = .held }
        }
    }

    /// After it.
    func settle(_ changes: [Change]) {
        state.withLock { state in
            for change in changes {
                let object = change.leavesObject && !state.isClosed ? change.object : nil
                state.places[Self.place(of: change.object.key)] = Self.content(object)
            }
        }
    }

    /// In its place, when it failed.
    func release(_ changes: [Change]) {
        state.withLock { state in
            for change in changes { state.places[Self.place(of: change.object.key)] = .empty }
        }
    }
}
