import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// What an agent does with a plan, seen from the scheduler.
@Suite(.serialized) struct ExecutionTests {
    private func run(_ cluster: Cluster, _ set: String, _ more: String = "", name: String = "d", seconds: Double = 30) async throws -> JSON
    {
        try await cluster.create("Diagnosis", name, #"{"operationSet":"\#(set)","nodeName":"web-01"\#(more.isEmpty ? "" : "," + more)}"#)
        return try await cluster.wait(name, seconds: seconds)
    }

    @Test func sharedVertexRunsOnceWhenTheFirstPathFails() async throws {
        let cluster = try await Cluster()
        let count = cluster.path("count")
        try await cluster.createScript("shared", "echo run >> \(count); echo shared")
        try await cluster.createScript("ruled-out", "exit 10")
        try await cluster.createScript("found", "echo the disk is full")
        try await cluster.create(
            "OperationSet", "dag",
            #"{"adjacencyList":[{"id":0,"to":[1]},{"id":1,"operation":"shared","to":[2,3]},{"id":2,"operation":"ruled-out"},{"id":3,"operation":"found"}]}"#
        )
        let done = try await run(cluster, "dag")
        #expect(done.phase == "Succeeded")
        #expect(done.steps.map { $0["outcome"]?.stringValue } == ["Found", "RuledOut", "Found"])
        #expect(done["status"]?["succeededPath"]?.arrayValue?.map { $0["id"] } == [.integer(1), .integer(3)])
        #expect(done["status"]?["failedPaths"]?.arrayValue?.count == 1)
        #expect(done["status"]?["summary"] == .string("the disk is full"))
        #expect(try String(contentsOfFile: count, encoding: .utf8) == "run\n")
        try await cluster.stop()
    }

    @Test func allRuledOutIsNothingFound() async throws {
        let cluster = try await Cluster()
        try await cluster.createScript("ruled-out", "exit 10")
        try await cluster.create("OperationSet", "none", #"{"sequence":["ruled-out"]}"#)
        let done = try await run(cluster, "none")
        #expect(done.phase == "Failed")
        #expect(done.reason == "NothingFound")
        try await cluster.stop()
    }

    @Test func scriptThatIgnoresSIGTERMLeavesNothingBehind() async throws {
        let cluster = try await Cluster()
        let marker = "kd-\(UUID().uuidString)"
        // A child in the group, one that left it with setsid, both deaf to SIGTERM.
        try await cluster.createScript(
            "stubborn",
            """
            #!/bin/sh
            trap '' TERM
            sh -c 'trap "" TERM; while :; do sleep 0.1; done' \(marker)-child &
            setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' \(marker)-escaped &
            while :; do sleep 0.1; done
            """, timeout: 1)
        try await cluster.create("OperationSet", "stubborn", #"{"sequence":["stubborn"]}"#)
        let done = try await run(cluster, "stubborn")
        #expect(done.phase == "Failed")
        #expect(done.steps.first?["message"]?.stringValue?.contains("timed out") == true, "\(done.steps)")
        func left() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter { pid in
                ((try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? "").contains(marker)
            }
        }
        #expect(try await eventually { try left().isEmpty })
        try await cluster.stop()
    }

    @Test func largeOutputAndLargeParameter() async throws {
        let cluster = try await Cluster()
        try await cluster.createScript("large", "head -c 3145728 /dev/zero | tr '\\0' x")
        try await cluster.createScript("length", "cat > input; wc -c < input; printf %s \"${#KUBEDIAG_OMITTED}\"")
        try await cluster.createScript("argument", "printf %s \"$1\" | wc -c", argKeys: ["big"])
        try await cluster.create("OperationSet", "large", #"{"sequence":["large","length"]}"#)
        let parameter = String(repeating: "p", count: 200 * 1024)
        let done = try await run(cluster, "large", #""parameters":{"big":"\#(parameter)"}"#)
        #expect(done.phase == "Succeeded", "\(done["status"]?["steps"] ?? .null)")
        let reference = try #require(done.result("operation.large.output"))
        #expect(reference["size"] == .integer(3_145_728))
        let set = OperationSet.definition.path(name: done["spec"]?["operationSet"]?.stringValue)
        let graph = try await cluster.send("router", .get, set + "/graph?format=svg&outcomes=1:Found")
        #expect(graph.status == 200 && String(decoding: graph.body, as: UTF8.self).contains("<svg"), "one URL: \(graph.status)")
        let path = "/api/v1/evidence/\(done["metadata"]?["uid"]?.stringValue ?? "")/\(reference["evidenceRef"]?.stringValue ?? "")"
        let whole = try await cluster.send("scheduler", .get, path)
        #expect(whole.status == 200)
        #expect(whole.body.count == 3_145_728)
        #expect(whole.body.allSatisfy { $0 == UInt8(ascii: "x") })
        // One argument may have 128 KiB at most (execve(2)); the step says so instead of failing to start.
        try await cluster.create("OperationSet", "argument", #"{"sequence":["argument"]}"#)
        let refused = try await run(cluster, "argument", #""parameters":{"big":"\#(parameter)"}"#, name: "too-large")
        #expect(refused.phase == "Failed")
        #expect(refused.steps.first?["reason"] == .string("ArgumentTooLarge"), "\(refused.steps)")
        try await cluster.stop()
    }

    @Test func httpProcessorsAnswerWithResults() async throws {
        let cluster = try await Cluster()
        let port = try #require(Int(cluster.url("graph-builder").split(separator: ":").last ?? ""))
        // Any HTTP server of ours will do as a processor that refuses: it wants a token.
        try await cluster.create(
            "Operation", "refused",
            #"{"effect":"Read","processor":{"httpServer":{"address":"127.0.0.1","port":\#(port),"path":"/metrics"}}}"#)
        try await cluster.create("OperationSet", "http", #"{"sequence":["refused"]}"#)
        let done = try await run(cluster, "http")
        #expect(done.phase == "Failed")
        #expect(done.steps.first?["outcome"] == .string("Error"))
        try await cluster.stop()
    }

    @Test(arguments: [false, true]) func cancelOrDeleteAtEveryMoment(_ isDelete: Bool) async throws {
        let cluster = try await Cluster()
        let starts = cluster.path("starts")
        try await cluster.createScript("slow", "echo start >> \(starts); sleep 0.15; echo done >> \(starts)", effect: "Mutate")
        try await cluster.create("OperationSet", "slow", #"{"sequence":["slow"]}"#)
        for step in 0..<24 {
            let name = "moment-\(step)"
            try await cluster.create("Diagnosis", name, #"{"operationSet":"slow","nodeName":"web-01"}"#)
            try await Task.sleep(for: .milliseconds(step * 10))  // the moment that this round is about
            let path = "/apis/\(API.groupVersion)/namespaces/kubediag/diagnoses/\(name)"
            if isDelete {
                #expect(try await cluster.send("scheduler", .delete, path).status == 200)
                #expect(try await eventually { try await cluster.diagnosis(name) == .null }, "\(name) does not go")
            } else {
                let patch = Array(#"{"spec":{"cancel":true}}"#.utf8)
                #expect(try await cluster.send("scheduler", .patch, path, patch, type: "application/merge-patch+json").status == 200)
                let done = try await cluster.wait(name)
                #expect(done.phase == "Succeeded" || done.reason == "Cancelled", "\(name): \(done["status"] ?? .null)")
            }
        }
        // Nothing keeps running on the agent, and nothing ran twice.
        #expect(
            try await eventually {
                let jobs = try await cluster.send("web-01", .get, "/api/v1/jobs", token: Cluster.service)
                return !String(decoding: jobs.body, as: UTF8.self).contains(#""running""#)
            })
        let lines = ((try? String(contentsOfFile: starts, encoding: .utf8)) ?? "").split(separator: "\n")
        #expect(lines.count { $0 == "start" } <= 24)
        try await cluster.stop()
    }
}
