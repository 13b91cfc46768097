import JSONCoding
import Model
import ResourceStore
import Testing

@Suite struct DeleteTests {
    private static let disk = APIFixture.operations + "/disk"

    @Test func deletes() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk"))
            let deleted = try await api.send(.delete, Self.disk)
            #expect(deleted.status == 200)
            #expect(deleted.json["status"] == "Success")
            #expect(deleted.json[path: "details", "uid"] == created.json[path: "metadata", "uid"])
            #expect(try await api.send(.get, Self.disk).status == 404)
            #expect(try await api.send(.delete, Self.disk).status == 404)
        }
    }

    @Test func preconditions() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk"))
            func delete(_ preconditions: JSON) async throws -> APIFixture.Answer {
                try await api.send(.delete, Self.disk, ["kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions])
            }
            let wrongUID = try await delete(["uid": "other"])
            #expect(wrongUID.status == 409)
            #expect(wrongUID.message.contains("UID in precondition: other"))
            #expect(try await delete(["resourceVersion": "1000000"]).status == 409)
            #expect(try await api.send(.delete, Self.disk, bytes: Array("{}".utf8), type: "text/plain").status == 415)
            #expect(try await api.send(.get, Self.disk).status == 200)
            let right = try await delete([
                "uid": created.json[path: "metadata", "uid"] ?? "", "resourceVersion": .string(created.resourceVersion),
            ])
            #expect(right.status == 200)
        }
    }

    @Test func finalizersHoldTheObject() async throws {
        try await withAPI { api in
            var body = operation("disk")
            body["metadata"]?["finalizers"] = ["example.org/a", "example.org/b"]
            try await api.send(.post, APIFixture.operations, body)
            let marked = try await api.send(.delete, Self.disk)
            #expect(marked.status == 200)
            #expect(marked.json[path: "metadata", "deletionTimestamp"] == .string(api.clock.now.description))
            #expect(marked.json[path: "metadata", "generation"] == 1)
            api.clock.advance(seconds: 60)
            let again = try await api.send(.delete, Self.disk)
            #expect(again.body == marked.body, "a second deletion changes nothing")

            let added = try await api.patch(Self.disk, ["metadata": ["finalizers": ["example.org/a", "example.org/b", "example.org/c"]]])
            #expect(added.status == 422)
            #expect(added.faultPaths == ["metadata.finalizers"])
            let one = try await api.patch(Self.disk, ["metadata": ["finalizers": ["example.org/b"]]])
            #expect(one.status == 200)
            #expect(try await api.send(.get, Self.disk).status == 200)
            let undo = try await api.patch(Self.disk, ["metadata": ["deletionTimestamp": .null]])
            #expect(undo.json[path: "metadata", "deletionTimestamp"] == marked.json[path: "metadata", "deletionTimestamp"])
            let dry = try await api.patch(Self.disk + "?dryRun=All", ["metadata": ["finalizers": .null]])
            #expect(dry.status == 200)
            let last = try await api.patch(Self.disk, ["metadata": ["finalizers": .null]])
            #expect(last.status == 200)
            #expect(try await api.send(.get, Self.disk).status == 404)
        }
    }

    @Test func dryRun() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk"))
            #expect(try await api.send(.delete, Self.disk + "?dryRun=All").json["status"] == "Success")
            #expect(try await api.send(.delete, Self.disk, ["dryRun": ["All"]]).json["status"] == "Success")
            #expect(try await api.send(.get, Self.disk).status == 200)
            #expect(try await api.send(.delete, APIFixture.operations + "?dryRun=All").status == 200)
            #expect(try await api.send(.get, APIFixture.operations).names == ["disk"])
        }
    }

    @Test func collections() async throws {
        try await withAPI { api in
            for index in 0..<5 {
                let labels: [String: JSON] = index < 3 ? ["gone": "yes"] : ["gone": "no"]
                try await api.send(.post, APIFixture.operations, operation("op-\(index)", labels: labels))
            }
            try await api.send(.post, APIFixture.diagnoses("a"), diagnosis("d"))
            try await api.send(.post, APIFixture.diagnoses("b"), diagnosis("d"))
            #expect(try await api.send(.delete, APIFixture.operations + "?labelSelector=gone%3Dyes").status == 200)
            #expect(try await api.send(.get, APIFixture.operations).names == ["op-3", "op-4"])
            #expect(try await api.send(.delete, APIFixture.diagnoses("a")).status == 200)
            #expect(try await api.send(.get, "/apis/diagnosis.kubediag.org/v1/diagnoses").names == ["d"])
            #expect(try await api.send(.delete, "/apis/diagnosis.kubediag.org/v1/diagnoses").status == 405)
        }
    }
}
