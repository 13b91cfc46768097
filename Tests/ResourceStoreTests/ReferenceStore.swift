import Model
import ResourceStore

/// What a store means, in its simplest form: dictionaries, one transaction at a time.
struct ReferenceStore {
    private(set) var objects: [ObjectKey: StoredObject] = [:]
    private(set) var records: [String: Record] = [:]
    private(set) var revision: Int64

    init(revision: Int64) { self.revision = revision }

    /// Applies a transaction; throws a `StoreError` and changes nothing when a condition fails.
    mutating func transact(_ writes: [Write]) throws -> TransactionResult {
        for (index, write) in writes.enumerated() { try check(write, index) }
        var changed: [StoredObject] = []
        var versions: [Int64] = []
        for write in writes {
            switch write {
            case .create(let object), .update(let object, _):
                revision += 1
                objects[object.key] = StoredObject(object, revision: revision)
                changed.append(StoredObject(object, revision: revision))
            case .delete(let key, _, _):
                revision += 1
                objects.removeValue(forKey: key).map { changed.append($0.withRevision(revision)) }
            case .putRecord(let bucket, let key, let value, let expiresAt, _):
                revision += 1
                records[key] = Record(bucket: bucket, key: key, value: value, version: revision, expiresAt: expiresAt)
                versions.append(revision)
            case .deleteRecord(_, let key, _):
                if records.removeValue(forKey: key) != nil { revision += 1 }
            case .requireObject: break
            }
        }
        return TransactionResult(revision: revision, objects: changed, recordVersions: versions)
    }

    private func check(_ write: Write, _ index: Int) throws {
        switch write {
        case .create(let object):
            if objects[object.key] != nil { throw StoreError.alreadyExists(object.key, write: index) }
        case .update(let object, let ifRevision): try check(object.key, object.uid, ifRevision, index)
        case .delete(let key, let ifUID, let ifRevision), .requireObject(let key, let ifUID, let ifRevision):
            try check(key, ifUID, ifRevision, index)
        case .putRecord(let bucket, let key, _, _, let condition), .deleteRecord(let bucket, let key, let condition):
            let version = records[key]?.version
            switch condition {
            case .any: return
            case .absent where version == nil: return
            case .version(let expected) where version == expected: return
            default: throw StoreError.conflict(.record(bucket: bucket, key: key, expected: condition, actual: version), write: index)
            }
        }
    }

    private func check(_ key: ObjectKey, _ uid: UID?, _ ifRevision: Int64?, _ index: Int) throws {
        guard let present = objects[key] else { throw StoreError.notFound(key, write: index) }
        if let uid, uid != present.uid { throw StoreError.conflict(.uid(key, expected: uid, actual: present.uid), write: index) }
        if let ifRevision, ifRevision != present.revision {
            throw StoreError.conflict(.revision(key, expected: ifRevision, actual: present.revision), write: index)
        }
    }
}

/// Transactions over few keys, so that conditions often fail and often hold.
struct TransactionGenerator {
    var random: SeededRandom
    private static let names = ["a", "b", "c", "d", "e"]
    private static let phases = ["Pending", "Running", "Failed"]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// `revisions` are those that conditions are made from, the present ones among them.
    mutating func next(revisions: [Int64]) throws -> [Write] {
        var used: Set<String> = []
        var writes: [Write] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let key = diagnosisKey(pick(Self.names), namespace: pick(["n1", "n2"]))
            let isRecord = Int.random(in: 0..<4, using: &random) == 0
            guard used.insert(isRecord ? key.name : key.description).inserted else { continue }
            writes.append(isRecord ? recordWrite(key.name, revisions) : try objectWrite(key, revisions))
        }
        return writes
    }

    private mutating func objectWrite(_ key: ObjectKey, _ revisions: [Int64]) throws -> Write {
        let uid = pick(["u1", "u1", "u1", "u2"])
        let labels = ["app": pick(["web", "db"])]
        let object = try diagnosis(key.name, namespace: key.namespace, uid: uid, labels: labels, phase: pick(Self.phases))
        let ifRevision = Bool.random(using: &random) ? nil : revisions.randomElement(using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: return .create(object)
        case 4..<7: return .update(object, ifRevision: ifRevision)
        case 7..<9: return .delete(key, ifUID: Bool.random(using: &random) ? nil : UID(uid), ifRevision: ifRevision)
        default: return .requireObject(key, ifUID: nil, ifRevision: ifRevision)
        }
    }

    private mutating func recordWrite(_ key: String, _ revisions: [Int64]) -> Write {
        let condition: RecordCondition =
            switch Int.random(in: 0..<4, using: &random) {
            case 0: .absent
            case 1: revisions.randomElement(using: &random).map { .version($0) } ?? .any
            default: .any
            }
        if Int.random(in: 0..<3, using: &random) == 0 { return .deleteRecord(bucket: "r", key: key, condition: condition) }
        let value = (0..<Int.random(in: 0...8, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        return .putRecord(bucket: "r", key: key, value: value, condition: condition)
    }

    private mutating func pick(_ values: [String]) -> String { values.randomElement(using: &random) ?? "" }
}
