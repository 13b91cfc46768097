import JSONCoding
import Model
import ResourceStore
import Testing

@Suite struct UpdateTests {
    private static let disk = APIFixture.operations + "/disk"

    @Test func replacesUnderAPrecondition() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk"))
            var body = created.json
            body["spec"]?["effect"] = "Read"
            let updated = try await api.send(.put, Self.disk, body)
            #expect(updated.status == 200)
            #expect(updated.json[path: "metadata", "generation"] == 2)
            #expect(updated.json[path: "metadata", "uid"] == created.json[path: "metadata", "uid"])
            #expect(updated.resourceVersion != created.resourceVersion)

            let stale = try await api.send(.put, Self.disk, body)
            #expect(stale.status == 409)
            #expect(stale.reason == "Conflict")
            #expect(stale.message.contains("the object has been modified"))

            body["metadata"]?["resourceVersion"] = nil
            body["spec"]?["effect"] = "Destroy"
            let unconditional = try await api.send(.put, Self.disk, body)
            #expect(unconditional.status == 200)
            #expect(unconditional.json[path: "metadata", "generation"] == 3)
            #expect(try await api.send(.put, APIFixture.operations + "/other", operation("other")).status == 404)
        }
    }

    @Test func refusesWhatIsAnotherObject() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk"))
            #expect(try await api.send(.put, Self.disk, operation("other")).status == 400)
            var body = operation("disk")
            body["metadata"]?["uid"] = "00000000-0000-4000-8000-000000000000"
            let answer = try await api.send(.put, Self.disk, body)
            #expect(answer.status == 409)
            #expect(answer.message.contains("UID in precondition"))
            body["metadata"]?["uid"] = nil
            body["metadata"]?["resourceVersion"] = "x"
            #expect(try await api.send(.put, Self.disk, body).status == 400)
            body["spec"] = nil
            body["metadata"]?["resourceVersion"] = nil
            let specless = try await api.send(.put, Self.disk, body)
            #expect(specless.status == 422)
            #expect(specless.faultPaths == ["spec"])
        }
    }

    @Test func whatChangesNothingIsNotWritten() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk", labels: ["a": "b"]))
            let revision = try await api.store.currentRevision()
            let same = try await api.send(.put, Self.disk, created.json)
            #expect(same.status == 200)
            #expect(same.body == created.body)
            #expect(try await api.send(.put, Self.disk, operation("disk", labels: ["a": "b"])).body == created.body)
            #expect(try await api.patch(Self.disk, ["metadata": ["labels": ["a": "b", "c": .null]]]).body == created.body)
            #expect(try await api.patch(Self.disk, [:]).body == created.body)
            #expect(try await api.send(.put, Self.disk + "/status", created.json).body == created.body)
            #expect(try await api.store.currentRevision() == revision)
        }
    }

    @Test func generationCountsChangesOfSpecAlone() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk"))
            let labelled = try await api.patch(Self.disk, ["metadata": ["labels": ["a": "b"], "annotations": ["x": "y"]]])
            #expect(labelled.json[path: "metadata", "generation"] == 1)
            let changed = try await api.patch(Self.disk, ["spec": ["effect": "Read"]])
            #expect(changed.json[path: "metadata", "generation"] == 2)
        }
    }

    @Test func mergePatch() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk", labels: ["a": "1", "b": "2"]))
            let patched = try await api.patch(Self.disk, ["metadata": ["labels": ["a": .null, "c": "3"]], "spec": ["effect": "Read"]])
            #expect(patched.status == 200)
            #expect(patched.json[path: "metadata", "labels"] == ["b": "2", "c": "3"])
            #expect(patched.json[path: "spec", "processor"] == created.json[path: "spec", "processor"])

            let stale = try await api.patch(
                Self.disk, ["metadata": ["resourceVersion": .string(created.resourceVersion)], "spec": ["effect": .null]])
            #expect(stale.status == 409)
            #expect(try await api.patch(Self.disk, ["metadata": ["name": "other"]]).status == 400)
            #expect(try await api.patch(Self.disk, ["kind": "Trigger"]).status == 400)
            #expect(try await api.patch(Self.disk, ["spec": .null]).status == 422)
            #expect(try await api.patch(Self.disk, ["spec": ["effect": "Nope"]]).faultPaths == ["spec.effect"])
            #expect(try await api.patch(Self.disk, [1]).status == 400)
            #expect(try await api.patch(APIFixture.operations + "/other", [:]).status == 404)
            let dry = try await api.patch(Self.disk + "?dryRun=All", ["spec": ["effect": "Destroy"]])
            #expect(dry.json[path: "spec", "effect"] == "Destroy")
            #expect(try await api.send(.get, Self.disk).json[path: "spec", "effect"] == "Read")
        }
    }

    @Test func otherPatchTypesAreRefusedWithTheRightOne() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk"))
            for type in [
                "application/strategic-merge-patch+json", "application/json", "text/plain",
            ] {
                let answer = try await api.send(.patch, Self.disk, [:], type: type)
                #expect(answer.status == 415, "\(type)")
                #expect(answer.reason == "UnsupportedMediaType", "\(type)")
                #expect(answer.message.contains("application/merge-patch+json"), "\(answer.message)")
            }
            #expect(
                try await api.send(.patch, Self.disk, [:], type: "application/json").headers["Accept-Patch"]
                    == "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")
        }
    }

    @Test func statusIsApartFromTheRest() async throws {
        try await withAPI { api in
            let path = APIFixture.diagnoses("ns") + "/d"
            try await api.send(.post, APIFixture.diagnoses("ns"), diagnosis("d"))
            var body = try await api.send(.get, path).json
            body["status"] = ["phase": "Running"]
            body["metadata"]?["labels"] = ["ignored": "yes"]
            body["spec"]?["cancel"] = true
            let updated = try await api.send(.put, path + "/status", body)
            #expect(updated.status == 200)
            #expect(updated.json["status"] == ["phase": "Running"])
            #expect(updated.json[path: "metadata", "labels"] == nil)
            #expect(updated.json[path: "spec", "cancel"] == nil)
            #expect(updated.json[path: "metadata", "generation"] == 1)
            #expect(try await api.send(.put, path + "/status", body).status == 409)

            let main = try await api.patch(path, ["status": ["phase": "Failed"], "metadata": ["labels": ["kept": "yes"]]])
            #expect(main.json["status"] == ["phase": "Running"])
            #expect(main.json[path: "metadata", "labels"] == ["kept": "yes"])
            let patched = try await api.patch(path + "/status", ["status": ["phase": "Succeeded", "reason": "Done"]])
            #expect(patched.json["status"] == ["phase": "Succeeded", "reason": "Done"])
            #expect(try await api.send(.get, path + "/status").body == patched.body)
            #expect(try await api.patch(path + "/status", ["status": ["phase": "Sleeping"]]).faultPaths == ["status.phase"])
        }
    }

    /// Writers that name no revision neither lose each other's changes nor hear of them.
    @Test func concurrentPatchesAllCount() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            let writers = 4
            let rounds = 15
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        for round in 0..<rounds {
                            try await api.patch(Self.disk, ["metadata": ["labels": ["w\(writer)-r\(round)": "x"]]]).expect(200)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let labels = try await api.send(.get, Self.disk).json[path: "metadata", "labels"]?.objectValue
            #expect(labels?.count == writers * rounds)
        }
    }

    /// Of writers that name the same revision one wins.
    @Test func concurrentPreconditionsLetOneThrough() async throws {
        try await withAPI { api in
            let created = try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        var body = created.json
                        body["metadata"]?["labels"] = ["writer": .string("w\(writer)")]
                        return try await api.send(.put, Self.disk, body).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200] + Array(repeating: 409, count: 7))
        }
    }
}
