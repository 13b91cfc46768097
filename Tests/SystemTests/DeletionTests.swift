import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing

/// Deletions that wait for dependents, and processes that die meanwhile.
@Suite(.serialized) struct DeletionTests {
    private static let base = "/apis/\(API.groupVersion)"
    private static let operations = base + "/operations"
    private static let diagnoses = base + "/namespaces/kubediag/diagnoses"
    private static let hold = #""finalizers":["example.org/hold"]"#

    /// Creates an object and returns its uid.
    @discardableResult
    private func create(
        _ cluster: Cluster, _ service: String, _ path: String, _ kind: String, _ name: String, owner: String = "", held: Bool = false
    ) async throws -> String {
        let spec =
            switch kind {
            case "Operation": #"{"processor":{"scriptRunner":{"script":"true"}}}"#
            case "OperationSet": #"{"sequence":["none"]}"#
            default: #"{"operationSet":"none","nodeName":"nowhere"}"#
            }
        let metadata = [#""name":"\#(name)""#, owner, held ? Self.hold : ""].filter { !$0.isEmpty }.joined(separator: ",")
        let text = #"{"apiVersion":"\#(API.groupVersion)","kind":"\#(kind)","metadata":{\#(metadata)},"spec":\#(spec)}"#
        let answer = try await cluster.send(service, .post, path, Array(text.utf8))
        #expect(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
        return try JSON(parsing: answer.body)[path: "metadata", "uid"]?.stringValue ?? ""
    }

    private func owners(_ kind: String, _ name: String, _ uid: String) -> String {
        #""ownerReferences":[{"apiVersion":"\#(API.groupVersion)","kind":"\#(kind)","name":"\#(name)","uid":"\#(uid)","blockOwnerDeletion":true}]"#
    }

    private func delete(_ cluster: Cluster, _ service: String, _ path: String, _ policy: String) async throws {
        #expect(try await cluster.send(service, .delete, path + "?propagationPolicy=\(policy)").status == 200)
    }

    private func status(_ cluster: Cluster, _ service: String, _ path: String) async throws -> Int {
        try await cluster.send(service, .get, path).status
    }

    private func count(_ cluster: Cluster, _ service: String, _ path: String) async throws -> Int {
        try JSON(parsing: try await cluster.send(service, .get, path).body)["items"]?.arrayValue?.count ?? 0
    }

    private func free(_ cluster: Cluster, _ service: String, _ path: String) async throws {
        let patch = Array(#"{"metadata":{"finalizers":null}}"#.utf8)
        #expect(try await cluster.send(service, .patch, path, patch, type: "application/merge-patch+json").status == 200)
    }

    @Test func foregroundDeletionOutlivesItsProcess() async throws {
        let cluster = try await Cluster(agents: [])
        try await cluster.introduce()
        let uid = try await create(cluster, "graph-builder", Self.base + "/operationsets", "OperationSet", "parent")
        let owner = owners("OperationSet", "parent", uid)
        let total = 60
        for number in 0..<total {
            try await create(cluster, "graph-builder", Self.operations, "Operation", "child-\(number)", owner: owner, held: number == 0)
        }
        let parent = Self.base + "/operationsets/parent"
        try await delete(cluster, "graph-builder", parent, "Foreground")
        try await cluster.kill("graph-builder")
        try await cluster.start("graph-builder")
        #expect(try await eventually { try await count(cluster, "graph-builder", Self.operations) < total })
        try await cluster.kill("graph-builder")
        try await cluster.start("graph-builder")
        #expect(try await eventually { try await count(cluster, "graph-builder", Self.operations) == 1 })
        #expect(try await status(cluster, "graph-builder", parent) == 200, "one child holds it")
        try await free(cluster, "graph-builder", Self.operations + "/child-0")
        #expect(try await eventually { try await status(cluster, "graph-builder", parent) == 404 })
        #expect(try await count(cluster, "graph-builder", Self.operations) == 0)
        try await cluster.stop()
    }

    @Test func whoIsAwayLosesNothingAndCatchesUp() async throws {
        let cluster = try await Cluster(agents: [])
        try await cluster.introduce()
        func isGone(_ name: String) async throws -> Bool {
            try await eventually(seconds: 60) { try await status(cluster, "scheduler", Self.diagnoses + "/\(name)") == 404 }
        }
        let uid = try await create(cluster, "graph-builder", Self.operations, "Operation", "owner")
        let owner = owners("Operation", "owner", uid)
        for name in ["first", "second"] {
            try await create(cluster, "scheduler", Self.diagnoses, "Diagnosis", name, owner: owner, held: name == "second")
        }
        // The owner's process is away, and the other one looks at everything as it starts: nothing goes.
        try await cluster.kill("graph-builder")
        try await cluster.kill("scheduler")
        try cluster.launch("scheduler")  // it is not ready before the other
        let isUndecided = try await eventually {
            guard let metrics = try? await cluster.send("scheduler", .get, "/metrics").body else { return false }
            return String(decoding: metrics, as: UTF8.self).contains("owned_objects_undecided 2")
        }
        #expect(isUndecided)
        #expect(try await count(cluster, "scheduler", Self.diagnoses) == 2)
        try await cluster.start("graph-builder")

        // The process of the dependents is away when the owner is deleted: the owner waits for it.
        try await cluster.kill("scheduler")
        try await delete(cluster, "graph-builder", Self.operations + "/owner", "Foreground")
        try await cluster.start("scheduler")
        #expect(try await isGone("first"))
        #expect(try await status(cluster, "graph-builder", Self.operations + "/owner") == 200)
        try await free(cluster, "scheduler", Self.diagnoses + "/second")
        #expect(try await isGone("second"))
        #expect(
            try await eventually(seconds: 60) { try await status(cluster, "graph-builder", Self.operations + "/owner") == 404 })
        try await cluster.stop()
    }
}
