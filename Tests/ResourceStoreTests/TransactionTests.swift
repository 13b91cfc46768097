import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite struct TransactionTests {
    @Test func createGetUpdateDelete() async throws {
        try await withStore { store in
            let base = try await store.currentRevision()
            let created = try await store.create(diagnosis("a"))
            #expect(created.revision == base + 1)
            #expect(try await store.get(created.key) == created)

            let updated = try await store.update(diagnosis("a", phase: "Running"), ifRevision: created.revision)
            #expect(updated.revision == base + 2)
            #expect(try await store.get(created.key) == updated)

            let deleted = try await store.delete(created.key, ifUID: created.uid, ifRevision: updated.revision)
            #expect(deleted == updated.withRevision(base + 3))
            #expect(try await store.get(created.key) == nil)
            #expect(try await store.currentRevision() == base + 3)
        }
    }

    @Test func failedConditionsNameTheWriteAndChangeNothing() async throws {
        try await withStore { store in
            let present = try await store.create(diagnosis("a"))
            let before = try await store.currentRevision()
            let new = try diagnosis("new")

            await expectFailure("alreadyExists 1") { try await store.transact([.create(new), .create(diagnosis("a"))]) }
            await expectFailure("notFound 1") { try await store.transact([.create(new), .update(diagnosis("b"), ifRevision: nil)]) }
            await expectFailure("notFound 1") { try await store.transact([.create(new), .delete(diagnosisKey("b"))]) }
            await expectFailure("notFound 1") { try await store.transact([.create(new), .requireObject(diagnosisKey("b"))]) }
            await expectFailure("revision 1") {
                try await store.transact([.create(new), .update(diagnosis("a"), ifRevision: present.revision - 1)])
            }
            await expectFailure("revision 1") {
                try await store.transact([.create(new), .delete(present.key, ifRevision: present.revision + 1)])
            }
            await expectFailure("uid 1") { try await store.transact([.create(new), .delete(present.key, ifUID: UID("other"))]) }
            await expectFailure("uid 1") {
                try await store.transact([.create(new), .update(diagnosis("a", uid: "other"), ifRevision: nil)])
            }
            await expectFailure("record 1") {
                try await store.transact([.create(new), .putRecord(bucket: "b", key: "k", value: [1], condition: .version(3))])
            }

            #expect(try await store.get(new.key) == nil)
            #expect(try await store.get(present.key) == present)
            #expect(try await store.currentRevision() == before)
        }
    }

    @Test func requireObjectGuardsAndWritesNothing() async throws {
        try await withStore { store in
            let present = try await store.create(diagnosis("a"))
            let result = try await store.transact([
                .requireObject(present.key, ifUID: present.uid, ifRevision: present.revision), .create(diagnosis("b")),
            ])
            #expect(result.revision == present.revision + 1)
            #expect(result.objects.map(\.key.name) == ["b"])
            #expect(try await store.get(present.key) == present)
        }
    }

    @Test func writesOfATransactionHaveConsecutiveRevisions() async throws {
        try await withStore { store in
            let old = try await store.create(diagnosis("old"))
            let result = try await store.transact([
                .create(diagnosis("a")), .putRecord(bucket: "dedup", key: "k", value: [1, 2]),
                .update(diagnosis("old", phase: "Failed"), ifRevision: nil),
            ])
            #expect(result.objects.map(\.revision) == [old.revision + 1, old.revision + 3])
            #expect(result.recordVersions == [old.revision + 2])
            #expect(result.revision == old.revision + 3)
        }
    }

    @Test func nonsenseIsInvalid() async throws {
        try await withStore { store in
            await expectFailure("invalid") { try await store.transact([.create(diagnosis("a")), .delete(diagnosisKey("a"))]) }
            await expectFailure("invalid") {
                try await store.transact([.putRecord(bucket: "b", key: "k", value: []), .deleteRecord(bucket: "b", key: "k")])
            }
            await expectFailure("invalid") { try await store.transact([.putRecord(bucket: "b", key: "k\0tail", value: [])]) }
            await expectFailure("invalid") { try await store.create(diagnosis("a\0b")) }
            await expectFailure("invalid") {
                try await store.transact([.putRecord(bucket: "b", key: "k", value: Array(repeating: 0, count: Record.valueBytesMax + 1))])
            }
        }
    }

    @Test func anEmptyTransactionStandsWhereTheStoreStands() async throws {
        try await withStore { store in
            let created = try await store.create(diagnosis("a"))
            #expect(try await store.transact([]).revision == created.revision)
        }
    }

    @Test func afterCloseEverythingIsClosed() async throws {
        try await withStore { store in
            await store.close()
            await expectFailure("closed") { try await store.create(diagnosis("a")) }
            await expectFailure("closed") { _ = try await store.get(diagnosisKey("a")) }
            await expectFailure("closed") { _ = try await store.list(ListQuery(plural: "diagnoses")) }
        }
    }
}

/// Checks that `body` throws the error spelled so: its case, the conflict's kind instead, and the index of the write.
func expectFailure(
    _ expected: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("expected \(expected), but nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as StoreError {
        #expect(spelled(error) == expected, sourceLocation: sourceLocation)
    } catch {
        Issue.record("expected \(expected), got \(error)", sourceLocation: sourceLocation)
    }
}

func spelled(_ error: StoreError) -> String {
    switch error {
    case .notFound(_, let write): "notFound \(write)"
    case .alreadyExists(_, let write): "alreadyExists \(write)"
    case .conflict(.revision, let write): "revision \(write)"
    case .conflict(.uid, let write): "uid \(write)"
    case .conflict(.record, let write): "record \(write)"
    case .tooOld: "tooOld"
    case .overloaded: "overloaded"
    case .unavailable: "unavailable"
    case .invalid: "invalid"
    case .unsupported: "unsupported"
    case .corrupt: "corrupt"
    case .cancelled: "cancelled"
    case .closed: "closed"
    case .refused: "refused"
    }
}
