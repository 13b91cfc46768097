import Foundation
import GRDB
import Model
import ResourceStore

/// Applies transactions, one after the other, inside one SQLite transaction.
///
/// Each is checked whole before it writes anything: one whose condition fails throws `StoreError` and leaves nothing behind, so the others of
/// the group go on without a savepoint. Anything else that is thrown is the storage's failure and ends the group.
struct TransactionWriter {
    let db: Database
    let recent: RecentObjects
    /// The revision of the last write.
    private(set) var revision: Int64
    private(set) var changes: [Change] = []
    private(set) var writeCount = 0

    /// A write whose condition has been checked, with what it needs of the present row.
    private enum Step {
        case insert(EncodedObject, ObjectTable.Columns)
        case replace(EncodedObject, ObjectTable.Columns, ObjectTable.Found)
        case remove(ObjectTable.Found)
        case putRecord(bucket: String, key: String, value: Data, expiresAt: Timestamp?, rowID: Int64?)
        case removeRecord(rowID: Int64)
    }

    init(db: Database, recent: RecentObjects, revision: Int64) {
        self.db = db
        self.recent = recent
        self.revision = revision
    }

    mutating func apply(_ request: TransactionRequest) throws -> TransactionResult {
        var steps: [Step] = []
        steps.reserveCapacity(request.writes.count)
        for (index, write) in request.writes.enumerated() {
            if let step = try check(write, at: index) { steps.append(step) }
        }
        var objects: [StoredObject] = []
        var versions: [Int64] = []
        for step in steps { try perform(step, &objects, &versions) }
        writeCount += steps.count
        return TransactionResult(revision: revision, objects: objects, recordVersions: versions)
    }
}

// MARK: - Conditions

extension TransactionWriter {
    private func check(_ write: TransactionRequest.Prepared, at index: Int) throws -> Step? {
        switch write {
        case .create(let object, let columns):
            if try ObjectTable.exists(object.key, in: db) { throw StoreError.alreadyExists(object.key, write: index) }
            return .insert(object, columns)
        case .update(let object, let columns, let ifRevision):
            return .replace(object, columns, try require(object.key, ifUID: object.uid, ifRevision: ifRevision, at: index))
        case .delete(let key, let ifUID, let ifRevision):
            return .remove(try require(key, ifUID: ifUID, ifRevision: ifRevision, at: index))
        case .requireObject(let key, let ifUID, let ifRevision):
            _ = try require(key, ifUID: ifUID, ifRevision: ifRevision, at: index)
            return nil
        case .putRecord(let bucket, let key, let value, let expiresAt, let condition):
            let present = try require(bucket: bucket, key: key, condition, at: index)
            return .putRecord(bucket: bucket, key: key, value: value, expiresAt: expiresAt, rowID: present)
        case .deleteRecord(let bucket, let key, let condition):
            return try require(bucket: bucket, key: key, condition, at: index).map { .removeRecord(rowID: $0) }
        }
    }

    private func require(_ key: ObjectKey, ifUID: UID?, ifRevision: Int64?, at index: Int) throws -> ObjectTable.Found {
        guard let found = try recent.find(key, in: db) else { throw StoreError.notFound(key, write: index) }
        if let ifUID, ifUID != found.object.uid {
            throw StoreError.conflict(.uid(key, expected: ifUID, actual: found.object.uid), write: index)
        }
        if let ifRevision, ifRevision != found.object.revision {
            throw StoreError.conflict(.revision(key, expected: ifRevision, actual: found.object.revision), write: index)
        }
        return found
    }

    /// The row of a record whose condition holds; nil when there is none.
    private func require(bucket: String, key: String, _ condition: RecordCondition, at index: Int) throws -> Int64? {
        let present = try RecordTable.version(bucket: bucket, key: key, in: db)
        let holds =
            switch condition {
            case .any: true
            case .absent: present == nil
            case .version(let version): present?.version == version
            }
        guard holds else {
            throw StoreError.conflict(.record(bucket: bucket, key: key, expected: condition, actual: present?.version), write: index)
        }
        return present?.rowID
    }
}

// MARK: - Writes

extension TransactionWriter {
    private mutating func perform(_ step: Step, _ objects: inout [StoredObject], _ versions: inout [Int64]) throws {
        revision += 1
        switch step {
        case .insert(let encoded, let columns):
            try ObjectTable.insert(encoded, columns, revision: revision, in: db)
            let object = StoredObject(encoded, revision: revision)
            recent.remember(object)
            objects.append(object)
            changes.append(.created(object))
        case .replace(let encoded, let columns, let present):
            try ObjectTable.update(rowID: present.rowID, to: encoded, columns, revision: revision, in: db)
            let object = StoredObject(encoded, revision: revision)
            recent.remember(object)
            objects.append(object)
            changes.append(.updated(object, previous: present.object))
        case .remove(let present):
            try ObjectTable.delete(rowID: present.rowID, in: db)
            let object = present.object.withRevision(revision)
            objects.append(object)
            changes.append(.deleted(object, writtenAt: present.object.revision))
        case .putRecord(let bucket, let key, let value, let expiresAt, let rowID):
            if let rowID {
                try RecordTable.update(rowID: rowID, value: value, expiresAt: expiresAt, version: revision, in: db)
            } else {
                try RecordTable.insert(bucket: bucket, key: key, value: value, expiresAt: expiresAt, version: revision, in: db)
            }
            versions.append(revision)
        case .removeRecord(let rowID):
            try RecordTable.delete(rowID: rowID, in: db)
        }
    }
}
