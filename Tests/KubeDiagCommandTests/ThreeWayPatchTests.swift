import JSONCoding
import Testing

@testable import KubeDiagCommand

@Suite struct ThreeWayPatchTests {
    static let file: JSON = [
        "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Operation", "metadata": ["name": "df"],
        "spec": ["effect": "Read", "processor": ["timeoutSeconds": 10, "scriptRunner": ["argKeys": ["a"]]]],
    ]

    /// What a server keeps of an applied document, with additions of its own.
    func stored(_ document: JSON) -> JSON {
        var object = ThreeWayPatch.annotated(document)
        object["metadata"]?["uid"] = "u"
        object["metadata"]?["resourceVersion"] = "7"
        object["spec"]?["retry"] = ["maxAttempts": 1]
        object["status"] = ["ready": true]
        return object
    }

    func patch(_ document: JSON, onto object: JSON) -> JSON? {
        ThreeWayPatch.make(last: ThreeWayPatch.lastApplied(object), wanted: ThreeWayPatch.annotated(document), current: object)
    }

    @Test func whatIsAsTheFileSaysNeedsNothing() {
        #expect(patch(Self.file, onto: stored(Self.file)) == .none)
        // A file written by `get -o yaml` carries the annotation itself.
        #expect(patch(ThreeWayPatch.annotated(Self.file), onto: stored(Self.file)) == .none)
    }

    @Test func whatChangedIsSetAndWhatWasLeftOutIsRemoved() throws {
        var file = Self.file
        file["spec"]?["effect"] = nil
        file["spec"]?["processor"]?["timeoutSeconds"] = 20
        let patch = try #require(self.patch(file, onto: stored(Self.file)))
        #expect(patch["spec"] == ["effect": .null, "processor": ["timeoutSeconds": 20]])
        #expect(patch.objectValue?.keys.sorted() == ["metadata", "spec"])
    }

    @Test func whatOthersAddedStays() throws {
        var object = stored(Self.file)
        object["metadata"]?["labels"] = ["team": "storage"]
        object["spec"]?["dependences"] = ["other"]
        #expect(patch(Self.file, onto: object) == .none)
    }

    @Test func whatOthersChangedIsPutBack() throws {
        var object = stored(Self.file)
        object["spec"]?["effect"] = "Destroy"
        let patch = try #require(self.patch(Self.file, onto: object))
        #expect(patch["spec"] == ["effect": "Read"])
    }

    @Test func listsAreWhole() throws {
        var file = Self.file
        file["spec"]?["processor"]?["scriptRunner"]?["argKeys"] = ["a", "b"]
        let patch = try #require(self.patch(file, onto: stored(Self.file)))
        #expect(patch["spec"] == ["processor": ["scriptRunner": ["argKeys": ["a", "b"]]]])
    }

    @Test func anObjectThatNobodyAppliedLosesNothing() throws {
        let object: JSON = ["metadata": ["name": "df"], "kind": "Operation", "spec": ["effect": "Read", "storage": ["x": 1]]]
        let patch = try #require(self.patch(Self.file, onto: object))
        #expect(patch["spec"]?.objectValue?.keys.sorted() == ["processor"])
        #expect(patch["metadata"]?.objectValue?.keys.sorted() == ["annotations"])
    }
}
