import ResourceStore

/// A transaction that makes sense in itself: checked on the caller's task, so that the writer has nothing to refuse but conditions.
struct TransactionRequest: Sendable {
    static let writesMax = 10_000

    let writes: [Write]
    let bytes: Int

    private enum Target: Hashable {
        case object(ObjectKey)
        case record(bucket: String, key: String)
    }

    /// Throws `.invalid`.
    init(_ writes: [Write]) throws(StoreError) {
        guard writes.count <= Self.writesMax else { throw .invalid("a transaction has at most \(Self.writesMax) writes") }
        var targets: Set<Target> = []
        var bytes = 0
        for write in writes {
            let target: Target
            switch write {
            case .create(let object), .update(let object, _):
                try Self.check(object)
                bytes += object.bytes.count
                target = .object(object.key)
            case .delete(let key, _, _):
                target = .object(key)
            case .putRecord(let bucket, let key, let value, _, _):
                try Self.check(bucket: bucket, key: key, value: value)
                bytes += value.count
                target = .record(bucket: bucket, key: key)
            case .deleteRecord(let bucket, let key, _):
                target = .record(bucket: bucket, key: key)
            case .requireObject:
                continue
            }
            bytes += 256
            if writes.count > 1, !targets.insert(target).inserted {
                throw .invalid("a transaction writes a key only once: \(target)")
            }
        }
        self.writes = writes
        self.bytes = bytes
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
