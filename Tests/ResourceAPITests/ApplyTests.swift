import JSONCoding
import Model
import StructuredMerge
import Testing

/// Server-side apply and the owners that all writes leave behind.
@Suite struct ApplyTests {
    private static let disk = APIFixture.operations + "/disk"

    private func apply(
        _ api: APIFixture, _ body: JSON, at path: String = disk, by name: String = "one", _ query: String = ""
    ) async throws -> APIFixture.Answer {
        try await api.send(.patch, "\(path)?fieldManager=\(name)\(query)", body, type: "application/apply-patch+yaml")
    }

    /// `one Apply`, `kubectl-edit Update status`: the managers of an object.
    private func managers(_ answer: APIFixture.Answer) -> [String] {
        (answer.json[path: "metadata", "managedFields"]?.arrayValue ?? []).map { entry in
            ["manager", "operation", "subresource"].compactMap { entry[$0]?.stringValue }.joined(separator: " ")
        }
    }

    private func fields(_ answer: APIFixture.Answer, _ name: String) -> JSON? {
        answer.json[path: "metadata", "managedFields"]?.arrayValue?.first { $0["manager"]?.stringValue == name }?["fieldsV1"]
    }

    @Test func createsAndChangesAndRemoves() async throws {
        try await withAPI { api in
            let created = try await apply(api, operation("disk", labels: ["a": "1", "b": "1"], effect: "Read")).expect(201)
            #expect(created.json[path: "spec", "effect"] == "Read")
            #expect(managers(created) == ["one Apply"])
            #expect(
                fields(created, "one") == [
                    "f:metadata": ["f:labels": ["f:a": [:], "f:b": [:]]],
                    "f:spec": ["f:effect": [:], "f:processor": ["f:scriptRunner": ["f:script": [:]], "f:timeoutSeconds": [:]]],
                ])
            #expect(try await api.send(.get, Self.disk).body == created.body)
            try await api.patch(Self.disk, ["metadata": ["labels": ["c": "1"]]]).expect(200)
            let changed = try await apply(api, operation("disk", labels: ["a": "2"])).expect(200)
            #expect(changed.json[path: "metadata", "labels"] == ["a": "2", "c": "1"])
            #expect(changed.json[path: "spec", "effect"] == nil, "what nobody says any more is gone")
            #expect(changed.json[path: "metadata", "generation"] == 2)
        }
    }

    @Test func anApplyThatSaysNothingNewWritesNothing() async throws {
        try await withAPI { api in
            let created = try await apply(api, operation("disk")).expect(201)
            let revision = try await api.store.currentRevision()
            api.clock.advance(seconds: 60)
            #expect(try await apply(api, operation("disk")).expect(200).body == created.body)
            #expect(try await api.store.currentRevision() == revision)
            let second = try await apply(api, operation("disk"), by: "two").expect(200)
            #expect(managers(second) == ["one Apply", "two Apply"])
        }
    }

    @Test func conflictsListEveryFieldAndChangeNothing() async throws {
        try await withAPI { api in
            try await apply(api, operation("disk", script: "a", labels: ["l": "1"])).expect(201)
            let before = try await api.send(.get, Self.disk)
            let conflict = try await apply(api, operation("disk", script: "b", labels: ["l": "2"]), by: "two")
            #expect(conflict.status == 409)
            #expect(conflict.reason == "Conflict")
            #expect(conflict.faultPaths == [".metadata.labels.l", ".spec.processor.scriptRunner.script"])
            let causes = conflict.json[path: "details", "causes"]?.arrayValue
            #expect(causes?.first?["reason"] == "FieldManagerConflict")
            #expect(causes?.first?["message"] == "conflict with \"one\"")
            #expect(conflict.message.hasPrefix("Apply failed with 2 conflicts: conflicts with \"one\":\n- .metadata.labels.l"))
            #expect(try await api.send(.get, Self.disk).body == before.body)
            let forced = try await apply(api, operation("disk", script: "b", labels: ["l": "2"]), by: "two", "&force=true").expect(200)
            #expect(forced.json[path: "metadata", "labels", "l"] == "2")
            #expect(managers(forced) == ["one Apply", "two Apply"])
        }
    }

    @Test func options() async throws {
        try await withAPI { api in
            let nameless = try await api.send(.patch, Self.disk, operation("disk"), type: "application/apply-patch+yaml")
            #expect(nameless.status == 422)
            #expect(nameless.faultPaths == ["fieldManager"])
            let long = String(repeating: "x", count: 129)
            #expect(try await apply(api, operation("disk"), by: long + "%07").faultPaths == ["fieldManager", "fieldManager"])
            #expect(try await apply(api, operation("disk"), by: "m", "&force=maybe").status == 400)
            let forced = try await api.patch(Self.disk + "?force=true", [:])
            #expect(forced.status == 422)
            #expect(forced.faultPaths == ["force"])
            #expect(try await api.send(.get, APIFixture.operations).names == [])
        }
    }

    @Test func whatCannotBeApplied() async throws {
        try await withAPI { api in
            var body = operation("disk")
            body["spec"]?["bogus"] = 1
            body["spec"]?["processor"]?["wrong"] = 1
            let unknown = try await apply(api, body)
            #expect(unknown.status == 400)
            #expect(
                unknown.message
                    == "failed to create typed patch object (/disk; diagnosis.kubediag.org/v1, Kind=Operation): "
                    + ".spec.processor.wrong: field not declared in schema, .spec.bogus: field not declared in schema")
            var owned = operation("disk")
            owned["metadata"]?["managedFields"] = []
            #expect(try await apply(api, owned).status == 400)
            #expect(try await apply(api, operation("other")).status == 400)
            #expect(try await apply(api, operation("disk", effect: "Nope")).faultPaths == ["spec.effect"])
            var identified = operation("disk")
            identified["metadata"]?["uid"] = "u"
            #expect(try await apply(api, identified).status == 409)
            #expect(try await apply(api, operation("disk"), at: Self.disk + "/status").status == 404)
            try await apply(api, operation("disk")).expect(201)
            #expect(try await apply(api, identified).status == 409)
            identified["metadata"]?["uid"] = nil
            identified["metadata"]?["resourceVersion"] = "1000000"
            #expect(try await apply(api, identified).status == 409)
        }
    }

    @Test func dryRunShowsAndStoresNothing() async throws {
        try await withAPI { api in
            let would = try await apply(api, operation("disk"), by: "one", "&dryRun=All").expect(201)
            #expect(managers(would) == ["one Apply"])
            #expect(try await api.send(.get, Self.disk).status == 404)
            let created = try await apply(api, operation("disk", script: "a")).expect(201)
            let changed = try await apply(api, operation("disk", script: "b"), by: "one", "&dryRun=All").expect(200)
            #expect(changed.json[path: "spec", "processor", "scriptRunner", "script"] == "b")
            #expect(try await api.send(.get, Self.disk).body == created.body)
        }
    }

    @Test func everyWriteHasAnOwner() async throws {
        try await withAPI { api in
            let created = try await api.send(
                .post, APIFixture.operations, operation("disk"), headers: ["User-Agent": "kubectl-create/v1.32 (linux)"]
            ).expect(201)
            #expect(managers(created) == ["kubectl-create Update"])
            #expect(created.json[path: "metadata", "managedFields"]?.arrayValue?.first?["time"] == .string(api.clock.now.description))
            let patched = try await api.patch(Self.disk + "?fieldManager=editor", ["spec": ["effect": "Read"]]).expect(200)
            #expect(managers(patched) == ["editor Update", "kubectl-create Update"])
            #expect(fields(patched, "editor") == ["f:spec": ["f:effect": [:]]])
            var body = patched.json
            body["spec"]?["effect"] = "Destroy"
            body["metadata"]?["managedFields"] = nil
            let replaced = try await api.send(.put, Self.disk + "?fieldManager=third", body).expect(200)
            #expect(managers(replaced) == ["kubectl-create Update", "third Update"], "the editor has nothing left")
            let status = try await api.patch(
                Self.disk + "/status?fieldManager=controller", ["metadata": ["labels": ["x": "y"]]]
            ).expect(200)
            #expect(status.body == replaced.body)
            #expect(try await api.patch(Self.disk + "?fieldManager=" + String(repeating: "x", count: 129), [:]).status == 422)
        }
    }

    @Test func ownersCanBeSetAndTakenAway() async throws {
        try await withAPI { api in
            let path = Self.disk + "?fieldManager=m"
            let created = try await apply(api, operation("disk")).expect(201)
            for nothing: JSON in [[], .null, "x", [["manager": "x"]]] {
                #expect(try await api.patch(path, ["metadata": ["managedFields": nothing]]).expect(200).body == created.body)
            }
            let entry: JSON = [
                "manager": "new", "operation": "Apply", "apiVersion": "diagnosis.kubediag.org/v1", "fieldsType": "FieldsV1",
                "fieldsV1": ["f:spec": ["f:effect": [:]]], "time": "2026-01-01T00:00:00Z",
            ]
            #expect(managers(try await api.patch(path, ["metadata": ["managedFields": [entry]]]).expect(200)) == ["new Apply"])
            let cleared = try await api.patch(path, ["metadata": ["managedFields": [[:]]]]).expect(200)
            #expect(cleared.json[path: "metadata", "managedFields"] == nil)
            #expect(managers(try await api.patch(path, ["spec": ["effect": "Read"]]).expect(200)) == [])
            #expect(managers(try await apply(api, operation("disk"))) == ["one Apply", "before-first-apply Update"])
        }
    }

    @Test func statusHasOwnersOfItsOwn() async throws {
        try await withAPI { api in
            let path = APIFixture.diagnoses("ns") + "/d"
            var body = diagnosis("d")
            body["status"] = ["phase": "Running"]
            let created = try await apply(api, body, at: path, by: "main").expect(201)
            #expect(created.json["status"] == nil)
            var status: JSON = [
                "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Diagnosis", "metadata": ["labels": ["ignored": "yes"]],
                "status": ["conditions": [["type": "Ready", "status": "True"]]],
            ]
            try await apply(api, status, at: path + "/status", by: "a").expect(200)
            status["status"] = ["conditions": [["type": "Complete", "status": "False"]]]
            let both = try await apply(api, status, at: path + "/status", by: "b").expect(200)
            #expect(both.json[path: "status", "conditions"]?.arrayValue?.compactMap { $0["type"]?.stringValue } == ["Ready", "Complete"])
            #expect(managers(both) == ["a Apply status", "b Apply status", "main Apply"])
            #expect(both.json[path: "metadata", "labels"] == nil)
            #expect(both.json[path: "metadata", "generation"] == 1)
            let phase = try await api.patch(path + "/status?fieldManager=c", ["status": ["phase": "Running"]]).expect(200)
            #expect(managers(phase).contains("c Update status"))
            status["status"] = ["conditions": [["type": "Ready", "status": "False"]]]
            let conflict = try await apply(api, status, at: path + "/status", by: "b")
            #expect(conflict.faultPaths == [".status.conditions[type=\"Ready\"].status"])
            #expect(conflict.message.contains("conflict with \"a\" with subresource \"status\""), "\(conflict.message)")
        }
    }

    /// Appliers of different fields at the same time neither lose each other's nor hear of each other.
    @Test func concurrentAppliersAllCount() async throws {
        try await withAPI { api in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<6 {
                    group.addTask {
                        for round in 0..<5 {
                            let body = operation("disk", labels: ["w\(writer)": .string("r\(round)")])
                            let answer = try await apply(api, body, by: "w\(writer)")
                            #expect([200, 201].contains(answer.status), "\(answer.message)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let object = try await api.send(.get, Self.disk)
            #expect(object.json[path: "metadata", "labels"]?.objectValue?.count == 6)
            #expect(managers(object).count == 6)
        }
    }
}
