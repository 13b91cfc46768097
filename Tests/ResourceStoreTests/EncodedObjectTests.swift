import JSONCoding
import Model
import ResourceStore
import Testing

@Suite struct EncodedObjectTests {
    @Test func resourceVersionIsSplicedIntoTheMetadataAndNowhereElse() throws {
        let document: JSON = [
            "apiVersion": "v1", "kind": "Diagnosis", "annotations": ["metadata": ["name": "decoy"]],
            "metadata": ["name": "a", "namespace": "kubediag", "uid": "u", "resourceVersion": "99", "labels": ["metadata": "x"]],
            "spec": ["text": "\"metadata\":{", "metadata": ["name": "decoy"]],
        ]
        let encoded = try EncodedObject(document, definition: Diagnosis.definition)
        let stored = StoredObject(encoded, revision: 1234)

        var expected = document
        expected["metadata"]?["resourceVersion"] = "1234"
        #expect(try JSON(parsing: stored.encoded()) == expected)
        #expect(try stored.json() == expected)

        var without = document
        without["metadata"]?["resourceVersion"] = nil
        #expect(try JSON(parsing: stored.bytes) == without)
    }

    @Test func keyLabelsAndFieldsTravelBesideTheBytes() throws {
        let encoded = try diagnosis("a", labels: ["app": "web"], phase: "Failed")
        #expect(encoded.key == diagnosisKey("a"))
        #expect(encoded.labels == ["app": "web"])
        #expect(encoded.fields == ["status.phase": "Failed", "spec.nodeName": "web-07", "spec.operationSet": "disk"])
    }

    @Test func aTypedObjectComesBackWithItsRevision() throws {
        var resource = Diagnosis(
            metadata: ObjectMeta(name: "a", namespace: "kubediag"),
            spec: try JSON.decode(DiagnosisSpec.self, from: Array(#"{"operationSet":"disk","nodeName":"web-07"}"#.utf8)))
        resource.metadata.uid = UID("u")
        let decoded = try StoredObject(EncodedObject(resource), revision: 7).decode(Diagnosis.self)
        #expect(decoded.metadata.resourceVersion == "7")
        #expect(decoded.spec == resource.spec)
    }

    @Test(arguments: [
        "[]", "{}", #"{"metadata":{}}"#, #"{"metadata":{"name":"a"}}"#, #"{"metadata":{"name":"","uid":"u"}}"#,
        #"{"metadata":{"uid":"u"}}"#,
    ])
    func whatHasNoNameOrUIDIsInvalid(_ text: String) throws {
        let document = try JSON(parsing: Array(text.utf8))
        #expect {
            try EncodedObject(document, definition: Diagnosis.definition)
        } throws: { error in
            if case StoreError.invalid = error { true } else { false }
        }
    }

    @Test func anObjectOfMetadataAlone() throws {
        let document: JSON = ["metadata": ["name": "a", "uid": "u"]]
        let stored = StoredObject(try EncodedObject(document, definition: Operation.definition), revision: 5)
        #expect(stored.encoded() == Array(#"{"metadata":{"resourceVersion":"5","name":"a","uid":"u"}}"#.utf8))
    }
}
