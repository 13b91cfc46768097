import JSONCoding
import Model
import ResourceOwnership
import Testing

@Suite struct DeletionPlanTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private func object(_ finalizers: [String] = [], isMarked: Bool = false) -> JSON {
        var metadata: [String: JSON] = ["name": "a", "uid": "u"]
        if !finalizers.isEmpty { metadata["finalizers"] = .array(finalizers.map(JSON.string)) }
        if isMarked { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
        return ["metadata": .object(metadata)]
    }

    private func finalizers(_ plan: DeletionPlan) -> [String]? {
        guard case .store(let document) = plan else { return nil }
        #expect(document.isBeingDeleted)
        return document.finalizers
    }

    @Test func withoutFinalizers() {
        #expect(DeletionPlan(object(), nil, at: Self.now) == .remove)
        #expect(DeletionPlan(object(), .background, at: Self.now) == .remove)
        #expect(finalizers(DeletionPlan(object(), .foreground, at: Self.now)) == ["foregroundDeletion"])
        #expect(finalizers(DeletionPlan(object(), .orphan, at: Self.now)) == ["orphan"])
    }

    @Test func othersKeepTheirs() {
        let held = object(["example.org/hold"])
        #expect(finalizers(DeletionPlan(held, .background, at: Self.now)) == ["example.org/hold"])
        #expect(finalizers(DeletionPlan(held, .foreground, at: Self.now)) == ["example.org/hold", "foregroundDeletion"])
        #expect(DeletionPlan(object(["example.org/hold"], isMarked: true), .background, at: Self.now) == .keep)
    }

    /// A second deletion may change its mind about the dependents.
    @Test func theLastWordCounts() {
        let waiting = object(["foregroundDeletion"], isMarked: true)
        #expect(DeletionPlan(waiting, nil, at: Self.now) == .keep)
        #expect(DeletionPlan(waiting, .foreground, at: Self.now) == .keep)
        #expect(DeletionPlan(waiting, .background, at: Self.now) == .remove)
        let orphaning = DeletionPlan(waiting, .orphan, at: Self.now)
        #expect(finalizers(orphaning) == ["orphan"])
        guard case .store(let document) = orphaning else { return }
        #expect(document[path: "metadata", "deletionTimestamp"] == "2026-01-01T00:00:00Z", "the time of the first")
    }

    /// Who put the finalizer there before the deletion has decided.
    @Test func finalizersStandForAPolicy() {
        #expect(finalizers(DeletionPlan(object(["orphan"]), nil, at: Self.now)) == ["orphan"])
        #expect(DeletionPlan(object(["orphan"]), .background, at: Self.now) == .remove)
    }

    @Test func freeing() {
        #expect(DeletionPlan(object(["orphan"], isMarked: true), without: "orphan") == .remove)
        #expect(DeletionPlan(object(["orphan"]), without: "orphan") == .keep, "it is not being deleted")
        #expect(DeletionPlan(object(["example.org/hold"], isMarked: true), without: "orphan") == .keep)
        let held = object(["orphan", "example.org/hold"], isMarked: true)
        #expect(finalizers(DeletionPlan(held, without: "orphan")) == ["example.org/hold"])
    }

    @Test func references() {
        var document = object()
        document["metadata"]?["ownerReferences"] = [
            ["uid": "a", "kind": "K", "name": "n", "apiVersion": "g/v1", "blockOwnerDeletion": true],
            ["uid": "b", "kind": "K", "name": "n", "apiVersion": "v1"],
        ]
        let read = OwnedObject(document, plural: "things")
        #expect(read?.owners.map(\.group) == ["g", ""])
        #expect(read?.blocks(UID("a")) == true && read?.blocks(UID("b")) == false)
        #expect(OwnedObject(document.releasing([UID("a")]), plural: "things")?.owners.map(\.uid) == [UID("b")])
        #expect(document.releasing([UID("a"), UID("b")])[path: "metadata", "ownerReferences"] == nil)
        #expect(OwnedObject(document.unblocking, plural: "things")?.blocks(UID("a")) == false)
    }

    @Test func rules() {
        var document = object(["orphan", "foregroundDeletion"])
        document["metadata"]?["ownerReferences"] = [
            ["uid": "a", "controller": true, "name": "x"], ["uid": "b", "controller": true, "name": "y"],
        ]
        #expect(OwnershipRules.faults(document).map(\.path) == ["metadata.ownerReferences", "metadata.finalizers"])
        #expect(OwnershipRules.faults(object(["orphan"])).isEmpty)
    }
}
