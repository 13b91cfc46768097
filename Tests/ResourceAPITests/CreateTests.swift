import JSONCoding
import Model
import Testing

@Suite struct CreateTests {
    @Test func createsAndReads() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk", labels: ["a": "b"]))
            #expect(created.status == 201)
            let metadata = try #require(created.json["metadata"])
            #expect(metadata["uid"]?.stringValue?.count == 36)
            #expect(metadata["creationTimestamp"] == .string(api.clock.now.description))
            #expect(metadata["generation"] == 1)
            #expect(metadata["labels"] == ["a": "b"])
            #expect(!created.resourceVersion.isEmpty)
            #expect(created.json["apiVersion"] == "diagnosis.kubediag.org/v1")

            let read = try await api.send(.get, APIFixture.operations + "/disk")
            #expect(read.status == 200)
            #expect(read.body == created.body)
            #expect(try await api.send(.head, APIFixture.operations + "/disk").status == 200)
            let missing = try await api.send(.get, APIFixture.operations + "/other")
            #expect(missing.status == 404)
            #expect(missing.reason == "NotFound")
            #expect(missing.message == #"operations.diagnosis.kubediag.org "other" not found"#)
            #expect(missing.json[path: "details", "kind"] == "operations")

            let again = try await api.send(.post, APIFixture.operations, operation("disk"))
            #expect(again.status == 409)
            #expect(again.reason == "AlreadyExists")
        }
    }

    @Test func serverOwnedMembersAreTheServers() async throws {
        try await withAPI { api in
            var body = operation("disk")
            for (member, value) in [
                "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 77, "deletionTimestamp": "2001-01-01T00:00:00Z",
                "managedFields": [["manager": "x"]], "selfLink": "/x", "namespace": "ignored",
            ] as [String: JSON] { body["metadata"]?[member] = value }
            body["status"] = ["phase": "Mine"]
            let created = try await api.send(.post, APIFixture.operations, body)
            #expect(created.status == 201, "\(created.message)")
            #expect(created.json[path: "metadata", "uid"] != "mine")
            #expect(created.json[path: "metadata", "generation"] == 1)
            for member in ["deletionTimestamp", "selfLink", "namespace"] {
                #expect(created.json[path: "metadata", member] == nil, "\(member)")
            }
            #expect(created.json["status"] == nil)
            body = operation("other")
            body["metadata"]?["resourceVersion"] = "5"
            #expect(try await api.send(.post, APIFixture.operations, body).status == 400)
        }
    }

    @Test func generatesNames() async throws {
        try await withAPI { api in
            var body = operation("x")
            body["metadata"] = ["generateName": "disk-"]
            let names = try await [api.send(.post, APIFixture.operations, body), api.send(.post, APIFixture.operations, body)].map {
                try #require($0.json[path: "metadata", "name"]?.stringValue)
            }
            #expect(Set(names).count == 2)
            #expect(names.allSatisfy { $0.hasPrefix("disk-") && $0.count == 10 })
            body["metadata"] = [:]
            let unnamed = try await api.send(.post, APIFixture.operations, body)
            #expect(unnamed.status == 422)
            #expect(unnamed.faultPaths == ["metadata.name"])
            #expect(unnamed.message.contains("name or generateName is required"))
        }
    }

    @Test func everyFaultAtOnce() async throws {
        try await withAPI { api in
            var body = operation("Not A Name", effect: "Bad")
            body["spec"]?["processor"]?["timeoutSeconds"] = 0
            body["spec"]?["retry"] = ["maxAttempts": "many"]
            body["metadata"]?["labels"] = ["bad key!": "x", "ok": "bad value!"]
            let answer = try await api.send(.post, APIFixture.operations, body)
            #expect(answer.status == 422)
            #expect(answer.reason == "Invalid")
            #expect(
                Set(answer.faultPaths) == [
                    "metadata.name", "metadata.labels[bad key!]", "metadata.labels[ok]", "spec.effect", "spec.processor.timeoutSeconds",
                    "spec.retry.maxAttempts",
                ])
            #expect(try await api.send(.get, APIFixture.operations).names == [])
        }
    }

    /// What the schema finds and what only the kind's own rules find come in one answer.
    @Test func semanticFaultsStandBesideTheSchemas() async throws {
        try await withAPI { api in
            var body = operation("disk", effect: "Read")
            body["spec"]?["processor"]?["httpServer"] = ["port": 80]
            body["spec"]?["storage"] = ["hostPath": ["path": "relative"]]
            body["spec"]?["processor"]?["timeoutSeconds"] = 0
            let answer = try await api.send(.post, APIFixture.operations, body)
            #expect(answer.status == 422)
            #expect(Set(answer.faultPaths) == ["spec.processor", "spec.processor.timeoutSeconds", "spec.storage.hostPath.path"])
        }
    }

    @Test func unknownFields() async throws {
        try await withAPI { api in
            func body(_ name: String) -> JSON {
                var body = operation(name)
                body["spec"]?["bogus"] = ["deep": 1]
                body["spec"]?["processor"]?["extra"] = nil
                body["spec"]?["processor"]?["extra"] = true
                body["top"] = 1
                return body
            }
            let warned = try await api.send(.post, APIFixture.operations, body("warned"))
            #expect(warned.status == 201)
            #expect(
                Set(warned.headers.all("Warning")) == [
                    #"299 - "unknown field \"spec.bogus\"""#, #"299 - "unknown field \"spec.processor.extra\"""#,
                    #"299 - "unknown field \"top\"""#,
                ])
            #expect(warned.json[path: "spec", "bogus"] == nil)
            #expect(warned.json["top"] == nil)
            let ignored = try await api.send(.post, APIFixture.operations + "?fieldValidation=Ignore", body("ignored"))
            #expect(ignored.status == 201)
            #expect(ignored.headers.all("Warning").isEmpty)
            let strict = try await api.send(.post, APIFixture.operations + "?fieldValidation=Strict", body("strict"))
            #expect(strict.status == 400)
            #expect(
                strict.message.hasPrefix("strict decoding error: ") && strict.message.contains("unknown field \"spec.bogus\""),
                "\(strict.message)")
            #expect(try await api.send(.get, APIFixture.operations).names == ["ignored", "warned"])
        }
    }

    @Test func envelopes() async throws {
        try await withAPI { api in
            func refused(_ change: (inout JSON) -> Void) async throws -> Int {
                var body = diagnosis("d")
                change(&body)
                return try await api.send(.post, APIFixture.diagnoses("ns"), body).status
            }
            #expect(try await refused { $0["kind"] = "Operation" } == 400)
            #expect(try await refused { $0["kind"] = nil } == 400)
            #expect(try await refused { $0["apiVersion"] = "v1" } == 400)
            #expect(try await refused { $0["apiVersion"] = 1 } == 400)
            #expect(try await refused { $0["metadata"] = "x" } == 400)
            #expect(try await refused { $0["metadata"]?["namespace"] = "other" } == 400)
            #expect(try await refused { $0 = [1] } == 400)
            let created = try await api.send(.post, APIFixture.diagnoses("ns"), diagnosis("d", namespace: "ns"))
            #expect(created.json[path: "metadata", "namespace"] == "ns")
            #expect(try await api.send(.post, APIFixture.diagnoses("Bad_NS"), diagnosis("d")).status == 422)
        }
    }

    @Test func bodies() async throws {
        try await withAPI { api in
            func status(_ text: String, type: String? = "application/json") async throws -> Int {
                try await api.send(.post, APIFixture.operations, bytes: Array(text.utf8), type: type).status
            }
            #expect(try await status("") == 400)
            #expect(try await status("{") == 400)
            #expect(try await status("null") == 400)
            #expect(try await status(#"{"kind":"Operation","kind":"Operation"}"#) == 400)
            #expect(try await status(String(repeating: "[", count: 100_000)) == 400)
            #expect(try await status("{}", type: "text/plain") == 415)
            #expect(try await status("a=b", type: "application/x-www-form-urlencoded") == 415)
            #expect(try await status("apiVersion: v1", type: "application/yaml") == 415)
            // A client that asks first is told before it has sent anything.
            let large = try await api.send(
                .post, APIFixture.operations, operation("x", script: String(repeating: "x", count: 4 << 20)),
                headers: ["Expect": "100-continue"])
            #expect(large.status == 413)
            let ok = try await api.send(
                .post, APIFixture.operations, operation("charset"), type: "application/json; charset=utf-8")
            #expect(ok.status == 201)
        }
    }

    @Test func dryRunStoresNothing() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations + "?dryRun=All", operation("disk"))
            #expect(created.status == 201)
            #expect(created.json[path: "metadata", "uid"] != nil)
            #expect(created.resourceVersion == "")
            #expect(try await api.send(.get, APIFixture.operations).names == [])
            try await api.send(.post, APIFixture.operations, operation("disk"))
            #expect(try await api.send(.post, APIFixture.operations + "?dryRun=All", operation("disk")).status == 409)
            #expect(try await api.send(.post, APIFixture.operations + "?dryRun=Maybe", operation("disk")).status == 400)
        }
    }

    @Test func paths() async throws {
        try await withAPI { api in
            for name in ["..%2f..%2fetc", "a%0ab", String(repeating: "x", count: 300)] {
                #expect(try await api.send(.get, APIFixture.operations + "/" + name).status == 404, "\(name)")
            }
            #expect(try await api.send(.get, APIFixture.operations + "/%zz").status == 400)
            #expect(try await api.send(.put, APIFixture.operations, operation("x")).status == 405)
            #expect(try await api.send(.post, "/apis/diagnosis.kubediag.org/v1/diagnoses", diagnosis("x")).status == 405)
            let index = try await api.send(.get, "/apis/diagnosis.kubediag.org/v1")
            #expect(index.json["kind"] == "APIResourceList")
            #expect(index.json["resources"]?.arrayValue?.count == 4)
            #expect(try await api.send(.get, "/apis").json["kind"] == "APIGroupList")
        }
    }
}
