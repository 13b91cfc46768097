import JSONCoding
import Testing

@Suite struct JSONPatchRequestTests {
    private static let disk = APIFixture.operations + "/disk"

    @Test func changesTheObject() async throws {
        try await withAPI { api in
            func patch(_ operations: JSON, _ path: String = Self.disk) async throws -> APIFixture.Answer {
                try await api.send(.patch, path, operations, type: "application/json-patch+json")
            }
            let created = try await api.send(.post, APIFixture.operations, operation("disk", labels: ["a/b": "1"])).expect(201)
            let changed = try await patch([
                ["op": "test", "path": "/metadata/labels/a~1b", "value": "1"], ["op": "add", "path": "/spec/effect", "value": "Read"],
                ["op": "move", "from": "/metadata/labels/a~1b", "path": "/metadata/labels/c"],
            ]).expect(200)
            #expect(changed.json[path: "metadata", "labels"] == ["c": "1"])
            #expect(changed.json[path: "spec", "effect"] == "Read")

            let failed = try await patch([
                ["op": "remove", "path": "/metadata/labels/c"], ["op": "test", "path": "/spec/effect", "value": "x"],
            ])
            #expect(failed.status == 422)
            #expect(failed.message.hasPrefix("JSON patch, operation 1: test"), "\(failed.message)")
            let missing = try await patch([["op": "remove", "path": "/metadata/labels/none"]])
            #expect(missing.status == 422)
            #expect(missing.message.contains("operation 0: remove: there is no /metadata/labels/none"))
            #expect(try await patch([["op": "eat", "path": "/spec"]]).status == 400)
            #expect(try await patch([["op": "add", "path": "spec", "value": 1]]).status == 400)
            #expect(try await patch([:]).status == 400)
            #expect(try await patch([["op": "replace", "path": "/spec/effect", "value": "Nope"]]).faultPaths == ["spec.effect"])
            #expect(try await patch([["op": "replace", "path": "/metadata/name", "value": "x"]]).status == 400)
            #expect(try await patch([["op": "replace", "path": "/metadata/uid", "value": "x"]]).status == 409)
            #expect(try await patch([["op": "replace", "path": "", "value": 1]]).status == 400)
            let stale = try await patch([
                ["op": "replace", "path": "/metadata/resourceVersion", "value": .string(created.resourceVersion)]
            ])
            #expect(stale.status == 409)
            #expect(try await patch(.array(Array(repeating: ["op": "test", "path": "", "value": 1], count: 10_001))).status == 413)
            #expect(try await api.send(.get, Self.disk).body == changed.body)
            #expect(try await patch([["op": "test", "path": "/spec/effect", "value": "Read"]]).expect(200).body == changed.body)
        }
    }

    @Test func changesTheStatusAlone() async throws {
        try await withAPI { api in
            let path = APIFixture.diagnoses("ns") + "/d"
            try await api.send(.post, APIFixture.diagnoses("ns"), diagnosis("d")).expect(201)
            let changed = try await api.send(
                .patch, path + "/status",
                [
                    ["op": "add", "path": "/status", "value": ["phase": "Running"]],
                    ["op": "add", "path": "/metadata/labels", "value": ["a": "b"]],
                ], type: "application/json-patch+json"
            ).expect(200)
            #expect(changed.json["status"] == ["phase": "Running"])
            #expect(changed.json[path: "metadata", "labels"] == nil)
        }
    }
}
