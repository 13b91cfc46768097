import Foundation
import Model
import ResourceStore

/// A transaction that makes sense in itself, with its columns encoded: all that can be done on the caller's task is done there, because the
/// writer is one thread. It has nothing left to refuse but conditions.
struct TransactionRequest: Sendable {
    /// A `Write` with the columns it will need.
    enum Prepared: Sendable {
        case create(EncodedObject, ObjectTable.Columns)
        case update(EncodedObject, ObjectTable.Columns, ifRevision: Int64?)
        case delete(ObjectKey, ifUID: UID?, ifRevision: Int64?)
        case requireObject(ObjectKey, ifUID: UID?, ifRevision: Int64?)
        case putRecord(bucket: String, key: String, value: Data, expiresAt: Timestamp?, condition: RecordCondition)
        case deleteRecord(bucket: String, key: String, condition: RecordCondition)
    }

    let writes: [Prepared]
    let bytes: Int

    private enum Target: Hashable {
        case object(ObjectKey)
        case record(bucket: String, key: String)
    }

    /// Throws `.invalid`.
    init(_ writes: [Write]) throws(StoreError) {
        guard writes.count <= Write.perTransactionMax else {
            throw .invalid("a transaction has at most \(Write.perTransactionMax) writes")
        }
        var targets: Set<Target> = []
        var prepared: [Prepared] = []
        prepared.reserveCapacity(writes.count)
        var bytes = 0
        for write in writes {
            prepared.append(try Self.prepare(write))
            bytes += Self.footprint(of: write)
            guard writes.count > 1, let target = Self.target(of: write) else { continue }
            if !targets.insert(target).inserted { throw .invalid("a transaction writes a key only once: \(target)") }
        }
        self.writes = prepared
        self.bytes = bytes
    }

    private static func prepare(_ write: Write) throws(StoreError) -> Prepared {
        switch write {
        case .create(let object):
            try check(object)
            return .create(object, ObjectTable.Columns(object))
        case .update(let object, let ifRevision):
            try check(object)
            return .update(object, ObjectTable.Columns(object), ifRevision: ifRevision)
        case .delete(let key, let ifUID, let ifRevision):
            return .delete(key, ifUID: ifUID, ifRevision: ifRevision)
        case .requireObject(let key, let ifUID, let ifRevision):
            return .requireObject(key, ifUID: ifUID, ifRevision: ifRevision)
        case .putRecord(let bucket, let key, let value, let expiresAt, let condition):
            try check(bucket: bucket, key: key, value: value)
            return .putRecord(bucket: bucket, key: key, value: Data(value), expiresAt: expiresAt, condition: condition)
        case .deleteRecord(let bucket, let key, let condition):
            return .deleteRecord(bucket: bucket, key: key, condition: condition)
        }
    }

    private static func target(of write: Write) -> Target? {
        switch write {
        case .create(let object), .update(let object, _): .object(object.key)
        case .delete(let key, _, _): .object(key)
        case .putRecord(let bucket, let key, _, _, _), .deleteRecord(let bucket, let key, _): .record(bucket: bucket, key: key)
        case .requireObject: nil
        }
    }

    /// About what the write weighs in the queue, in bytes.
    private static func footprint(of write: Write) -> Int {
        switch write {
        case .create(let object), .update(let object, _): object.bytes.count + 512
        case .putRecord(_, _, let value, _, _): value.count + 256
        case .delete, .requireObject, .deleteRecord: 256
        }
    }

    private static func check(_ object: EncodedObject) throws(StoreError) {
        guard object.bytes.count <= EncodedObject.bytesMax else {
            throw .invalid("\(object.key) has \(object.bytes.count) bytes; an object has at most \(EncodedObject.bytesMax)")
        }
        let key = object.key
        guard isText(key.plural), isText(key.namespace), isText(key.name), isText(object.uid.rawValue), !key.plural.isEmpty,
            !key.name.isEmpty
        else { throw .invalid("an object's key has no NUL, its plural and name are not empty") }
    }

    private static func check(bucket: String, key: String, value: [UInt8]) throws(StoreError) {
        guard value.count <= Record.valueBytesMax else {
            throw .invalid("record \(bucket)/\(key) has \(value.count) bytes; a record has at most \(Record.valueBytesMax)")
        }
        guard isText(bucket), isText(key) else { throw .invalid("a record's bucket and key have no NUL") }
    }

    /// SQLite's C strings end at a NUL: two keys that differ behind one would be the same row.
    private static func isText(_ text: String) -> Bool { !text.utf8.contains(0) }
}
