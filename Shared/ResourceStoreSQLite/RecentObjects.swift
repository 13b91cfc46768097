import GRDB
import ResourceStore
import Synchronization

/// The objects that were written last, so that the next write of one neither reads its bytes back nor keeps a second copy of them for watches.
///
/// A table of fixed size in which newer objects take the places of older ones. The row's revision decides whether an entry is true, so it must be
/// forgotten whenever revisions are given out anew: after a group that was not stored.
final class RecentObjects: Sendable {
    private static let places = 2048
    /// Larger objects are not worth their place.
    private static let objectBytesMax = 16 << 10

    /// Only ever touched by the writer; the lock is never waited for.
    private let table = Mutex([StoredObject?](repeating: nil, count: places))

    func remember(_ object: StoredObject) {
        let place = Self.place(of: object.key)
        table.withLock { $0[place] = object.bytes.count <= Self.objectBytesMax ? object : nil }
    }

    func forgetAll() {
        table.withLock { $0 = [StoredObject?](repeating: nil, count: Self.places) }
    }

    /// The object of that key as the database has it.
    func find(_ key: ObjectKey, in db: Database) throws -> ObjectTable.Found? {
        guard let known = table.withLock({ $0[Self.place(of: key)] }), known.key == key else { return try ObjectTable.find(key, in: db) }
        guard let row = try ObjectTable.locate(key, in: db) else { return nil }
        if row.revision != known.revision { return try ObjectTable.find(key, in: db) }
        return ObjectTable.Found(rowID: row.rowID, object: known)
    }

    private static func place(of key: ObjectKey) -> Int { Int(UInt(bitPattern: key.hashValue) % UInt(places)) }
}
