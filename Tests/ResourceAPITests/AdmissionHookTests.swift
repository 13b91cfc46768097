import JSONCoding
import Model
import ResourceAPI
import Synchronization
import Testing

@Suite struct AdmissionHookTests {
    @Test func serviceAddsFaultsAndWarnings() async throws {
        try await withAPI(
            APIOptions(operations: { kind in
                kind.admit = { request throws(APIError) in
                    guard request.change != .delete else { return AdmissionReview() }
                    if request.object[path: "spec", "processor", "scriptRunner", "script"] == "forbidden" {
                        throw .forbidden("no such script here")
                    }
                    return AdmissionReview(
                        faults: request.object[path: "metadata", "annotations", "bad"] == nil
                            ? [] : [FieldFault("metadata.annotations[bad]", .invalid, "is bad")],
                        warnings: ["looks read-only"])
                }
            })
        ) { api in
            let fine = try await api.send(.post, APIFixture.operations, operation("fine")).expect(201)
            #expect(fine.headers.all("Warning") == [#"299 - "looks read-only""#])
            #expect(try await api.send(.post, APIFixture.operations, operation("x", script: "forbidden")).status == 403)
            var body = operation("bad")
            body["metadata"]?["annotations"] = ["bad": "x"]
            body["spec"]?["processor"]?["timeoutSeconds"] = 0
            let bad = try await api.send(.post, APIFixture.operations, body)
            #expect(Set(bad.faultPaths) == ["spec.processor.timeoutSeconds", "metadata.annotations[bad]"])
            #expect(bad.status == 422)
            #expect(
                try await api.patch(APIFixture.operations + "/fine", ["metadata": ["annotations": ["bad": "x"]]]).faultPaths == [
                    "metadata.annotations[bad]"
                ])
        }
    }

    @Test func serviceSeesEveryChange() async throws {
        let seen = Seen()
        try await withAPI(
            APIOptions(operations: { kind in
                kind.admit = { request throws(APIError) in
                    seen.note("\(request.change)\(request.isDryRun ? " dry" : "")\(request.old == nil ? " new" : "") \(request.caller)")
                    if request.change == .delete, request.object[path: "metadata", "labels", "keep"] != nil {
                        return AdmissionReview(faults: [FieldFault("metadata.labels[keep]", .forbidden, "keeps the object")])
                    }
                    return AdmissionReview()
                }
            })
        ) { api in
            let path = APIFixture.operations + "/disk"
            try await api.send(.post, APIFixture.operations, operation("disk", labels: ["keep": "yes"])).expect(201)
            try await api.patch(path + "?dryRun=All", ["spec": ["effect": "Read"]]).expect(200)
            try await api.send(.put, path, operation("disk", labels: ["keep": "yes"], effect: "Read")).expect(200)
            try await api.patch(path + "/status", [:]).expect(200)
            try await api.send(.delete, path).expect(422)
            try await api.patch(path, ["metadata": ["labels": .null]]).expect(200)
            try await api.send(.delete, path).expect(200)
        }
        #expect(
            seen.all == [
                "create new admin", "update dry admin", "update admin", "status admin", "delete admin", "update admin", "delete admin",
            ])
    }

    @Test func verbsCanBeWithheld() async throws {
        try await withAPI(
            APIOptions(operations: { kind in
                kind.verbs = [.get, .list, .create]
                kind.isStatusWritable = false
            })
        ) { api in
            let path = APIFixture.operations + "/disk"
            try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            #expect(try await api.send(.put, path, operation("disk")).status == 405)
            #expect(try await api.patch(path, [:]).status == 405)
            #expect(try await api.send(.delete, path).headers["Allow"] == "GET, HEAD, OPTIONS")
            #expect(try await api.send(.delete, APIFixture.operations).status == 405)
            #expect(try await api.send(.put, path + "/status", operation("disk")).status == 405)
            #expect(try await api.send(.get, path + "/status").status == 200)
            let watch = await #expect(throws: WatchRefused.self) { try await api.watch(APIFixture.operations + "?watch=1") }
            #expect(watch?.status == 405)
        }
    }

    @Test func callersWithoutTheClassAreRefused() async throws {
        try await withAPI(APIOptions(operations: { $0.access = KindAccess(readers: [.admin], writers: [.service]) })) { api in
            try await api.send(.get, APIFixture.operations).expect(200)
            try await api.send(.post, APIFixture.operations, operation("x")).expect(403)
        }
    }
}

private final class Seen: Sendable {
    private let notes = Mutex<[String]>([])
    var all: [String] { notes.withLock { $0 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
}
