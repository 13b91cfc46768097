import JSONCoding
import Model
import Testing

@testable import StructuredMerge

@Suite struct OwnershipTests {
    @Test func anUpdaterOwnsWhatItChanged() {
        var history = History()
        history.update(by: "create") { $0["spec"] = ["a": "1", "map": ["k": "v"]] }
        #expect(history.updated("create") == [".": [:], "f:a": [:], "f:map": [".": [:], "f:k": [:]]])
        history.update(by: "edit") { $0["spec"]?["a"] = "2" }
        #expect(history.updated("create") == [".": [:], "f:map": [".": [:], "f:k": [:]]])
        #expect(history.updated("edit") == ["f:a": [:]])
        history.update(by: "edit") { $0["spec"]?["map"] = nil }
        #expect(history.updated("create") == [:])
        let before = history.managed
        history.update(by: "other") { _ in }
        #expect(history.managed == before, "what changes nothing leaves the times alone")
    }

    @Test func anApplierRemovesWhatItNoLongerSays() throws {
        var history = History()
        try history.apply(["a": "1", "nested": ["x": "1", "y": "1"], "map": ["k": "1", "l": "1"], "set": ["p", "q"]], by: "m")
        history.update(by: "edit") { $0["spec"]?["b"] = "9" }
        try history.apply(["nested": ["y": "1"], "map": ["l": "1"], "set": ["q"]], by: "m")
        #expect(history.spec == ["b": "9", "nested": ["y": "1"], "map": ["l": "1"], "set": ["q"]])
        try history.apply([:], by: "m")
        #expect(history.spec == ["b": "9"])
        #expect(history.applied("m") == [:])
    }

    @Test func whatAnotherOwnsStays() throws {
        var history = History()
        try history.apply(["a": "1", "items": [["name": "n", "p": "1"]]], by: "one")
        try history.apply(["a": "1", "items": [["name": "n", "q": "2"]]], by: "two")
        #expect(history.spec == ["a": "1", "items": [["name": "n", "p": "1", "q": "2"]]])
        try history.apply([:], by: "one")
        #expect(history.spec == ["a": "1", "items": [["name": "n", "q": "2"]]])
        try history.apply([:], by: "two")
        #expect(history.spec == [:])
    }

    /// A default below a member goes with it: nobody owns it.
    @Test func whatNobodyOwnsGoesWithItsContainer() throws {
        var history = History()
        try history.apply(["nested": ["x": "1"]], by: "one")
        history.object?["spec"]?["nested"]?["y"] = "default"
        try history.apply(["a": "1"], by: "one")
        #expect(history.spec == ["a": "1"])
        // But one beside what another owns does not.
        try history.apply(["nested": ["x": "1"]], by: "one")
        try history.apply(["map": ["k": "1"], "nested": ["y": "2"]], by: "two")
        history.object?["spec"]?["map"]?["free"] = "1"
        try history.apply(["nested": ["y": "2"], "map": [:]], by: "two")
        #expect(history.spec == ["nested": ["x": "1", "y": "2"], "map": ["free": "1"]])
    }

    @Test func conflictsAreAllListed() throws {
        var history = History()
        try history.apply(["a": "1", "items": [["name": "n", "p": "1"]], "map": ["k": "1"]], by: "one")
        history.update(by: "edit") { $0["spec"]?["b"] = "1" }
        let before = history
        let error = #expect(throws: ApplyConflicts.self) {
            try history.apply(["a": "2", "b": "2", "items": [["name": "n", "p": "2"]], "map": ["k": "1"]], by: "two")
        }
        #expect(
            error?.causes == [
                FieldFault(".spec.b", .managerConflict, "conflict with \"edit\" using example.org/v1"),
                FieldFault(".spec.a", .managerConflict, "conflict with \"one\""),
                FieldFault(".spec.items[name=\"n\"].p", .managerConflict, "conflict with \"one\""),
            ])
        #expect(
            error?.message
                == "Apply failed with 3 conflicts: conflicts with \"edit\" using example.org/v1:\n- .spec.b\nconflicts with \"one\":\n"
                + "- .spec.a\n- .spec.items[name=\"n\"].p")
        #expect(history.object == before.object)
        let single = #expect(throws: ApplyConflicts.self) { try history.apply(["a": "2"], by: "two") }
        #expect(single?.message == "Apply failed with 1 conflict: conflict with \"one\": .spec.a")
    }

    @Test func forceTakesOver() throws {
        var history = History()
        try history.apply(["a": "1", "b": "1"], by: "one")
        try history.apply(["a": "2"], by: "two", force: true)
        #expect(history.spec == ["a": "2", "b": "1"])
        #expect(history.applied("one") == ["f:b": [:]])
        #expect(history.applied("two") == ["f:a": [:]])
        // Who was overruled hears of it when it comes again.
        #expect(throws: ApplyConflicts.self) { try history.apply(["a": "1", "b": "1"], by: "one") }
    }

    @Test func anApplyThatSaysNothingNewChangesNothing() throws {
        var history = History()
        try history.apply(["a": "1", "set": ["x"]], by: "one")
        let before = history
        try history.apply(["a": "1", "set": ["x"]], by: "one")
        #expect(history.object == before.object)
        #expect(history.managed == before.managed)
        try history.apply(["a": "1"], by: "two")
        #expect(history.managed[.init("two", .apply, apiVersion: "")]?.time == Fixture.time(3), "a new owner is news")
    }

    @Test func listsKeepTheirOrder() throws {
        var history = History()
        try history.apply(["items": [["name": "a"], ["name": "b"], ["name": "c"]]], by: "one")
        try history.apply(["items": [["name": "c"], ["name": "x"], ["name": "a"]]], by: "two")
        #expect(history.spec["items"] == [["name": "c"], ["name": "x"], ["name": "a"], ["name": "b"]])
        try history.apply(["items": [["name": "y"], ["name": "b"]]], by: "three")
        #expect(history.spec["items"] == [["name": "c"], ["name": "x"], ["name": "a"], ["name": "y"], ["name": "b"]])
    }

    @Test func listsWithoutKeysAreOneValue() throws {
        var history = History()
        try history.apply(["atomic": ["a"]], by: "one")
        let error = #expect(throws: ApplyConflicts.self) { try history.apply(["atomic": ["a", "b"]], by: "two") }
        #expect(error?.causes.map(\.path) == [".spec.atomic"])
        try history.apply(["items": [["p": "nameless"]]], by: "three")
        #expect(history.applied("three") == ["f:items": [:]])
    }

    /// An object that the server made itself is nobody's until somebody applies.
    @Test func anObjectWithoutOwners() throws {
        var history = History()
        history.object = Fixture.object(["a": "1", "b": "1"])
        history.update(by: "edit") { $0["spec"]?["b"] = "2" }
        #expect(history.managed.isEmpty)
        let error = #expect(throws: ApplyConflicts.self) { try history.apply(["a": "2"], by: "one") }
        #expect(error?.message.contains("\"before-first-apply\"") == true)
        try history.apply(["a": "1"], by: "one")
        #expect(history.updated("before-first-apply") == [".": [:], "f:a": [:], "f:b": [:]])
    }

    @Test func nullSaysNothing() throws {
        var history = History()
        try history.apply(["a": "1", "b": .null, "nested": ["x": .null]], by: "one")
        #expect(history.spec == ["a": "1", "nested": [:]])
        #expect(history.applied("one") == ["f:a": [:], "f:nested": [:]])
    }

    @Test func serverOwnedMembersBelongToNobody() throws {
        var history = History()
        try history.apply(["a": "1"], metadata: ["uid": "u", "labels": ["l": "v"]], by: "one")
        #expect(Fixture.fields(history.managed, "one", .apply) == ["f:metadata": ["f:labels": ["f:l": [:]]], "f:spec": ["f:a": [:]]])
    }

    @Test func updatersAreBounded() throws {
        var history = History()
        try history.apply(["a": "1"], by: "applier")
        for index in 0..<40 {
            history.update(by: "m\(index)") { object in
                var map = object[path: "spec", "map"] ?? [:]
                map["l\(index)"] = "v"
                object["spec"]?["map"] = map
            }
            #expect(history.managed.entries.keys.count { $0.operation == .update } <= ManagedFields.updatersMax)
        }
        let names = Set(history.managed.entries.keys.map(\.name))
        #expect(names.isSuperset(of: ["ancient-changes", "m39", "applier"]))
        #expect(!names.contains("m20"))
    }

    @Test func ownersAreReadBackAsTheyWereWritten() throws {
        var history = History()
        try history.apply(["a": "1"], by: "one")
        history.update(by: "two") { $0["spec"]?["b"] = "2" }
        history.update(by: "one") { $0["spec"]?["map"] = ["k": "2"] }
        let json = history.managed.json
        #expect(ManagedFields(json: json) == history.managed)
        #expect(json.arrayValue?.map { $0["operation"]?.stringValue } == ["Apply", "Update", "Update"])
        #expect(json.arrayValue?.first?["time"] == .string(Fixture.time(1).description))
        for wrong: JSON in [[[:]], ["x"], "x", [["manager": "m", "operation": "Eat", "apiVersion": "v1"]]] {
            #expect(ManagedFields(json: wrong) == nil, "\(wrong)")
        }
        #expect(ManagedFields.isReset([[:]]))
        #expect(!ManagedFields.isReset([]))
        #expect(ManagedFields(json: []) == ManagedFields())
    }

    /// `kubectl apply --server-side` after `kubectl apply`: what the annotation has is kubectl's own.
    @Test func clientSideApplyIsTakenOver() throws {
        let config = Fixture.object(["a": "1", "b": "1"])
        var history = History()
        history.update(by: "kubectl-client-side-apply") {
            $0 = config
            $0["metadata"]?["annotations"] = [LastApplied.annotation: .string("\(config)\n")]
        }
        history.update(by: "edit") { $0["spec"]?["map"] = ["k": "edited"] }
        try history.apply(["a": "2", "b": "1"], by: "kubectl")
        #expect(history.spec == ["a": "2", "b": "1", "map": ["k": "edited"]])
        #expect(throws: ApplyConflicts.self) { try history.apply(["a": "3"], by: "argo") }
        // What others changed is not.
        let error = #expect(throws: ApplyConflicts.self) { try history.apply(["a": "2", "map": ["k": "x"]], by: "kubectl") }
        #expect(error?.causes.map(\.path) == [".spec.map.k"])
        var object = try #require(history.object)
        LastApplied.refresh(&object, with: Fixture.object(["a": "2"]))
        #expect(LastApplied.text(of: object) == "\(Fixture.object(["a": "2"]))\n")
    }
}
