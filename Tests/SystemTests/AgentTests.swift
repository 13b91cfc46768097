import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// Agents that go, come back, or are not who they say they are.
@Suite(.serialized) struct AgentTests {
    @Test func awayForLongerThanItsLeaseThenBack() async throws {
        let cluster = try await Cluster(agents: ["web-01", "web-02", "web-03"])
        try await cluster.createScript("slow", "sleep 4; echo done")
        try await cluster.create("OperationSet", "slow", #"{"sequence":["slow"]}"#)
        try await cluster.create("Diagnosis", "d", #"{"operationSet":"slow","nodeName":"web-01"}"#)
        _ = try await cluster.wait("d", for: ["Running"])
        cluster.signal("web-01", SIGSTOP)
        _ = try await cluster.wait("d", for: ["Unknown"])
        #expect(try await cluster.isReady(agent: "web-01") == false)
        cluster.signal("web-01", SIGCONT)
        let done = try await cluster.wait("d")
        #expect(done.phase == "Succeeded")
        #expect(done.result("operation.slow.output") == .string("done\n"))
        try await cluster.stop()
    }

    @Test func unknownBecomesFailedAfterItsDeadline() async throws {
        let cluster = try await Cluster(agents: ["web-01", "web-02", "web-03"], scheduler: ["--unknown-max", "3s"])
        try await cluster.createScript("slow", "sleep 60", timeout: 90)
        try await cluster.create("OperationSet", "slow", #"{"sequence":["slow"]}"#)
        try await cluster.create("Diagnosis", "d", #"{"operationSet":"slow","nodeName":"web-01","activeDeadlineSeconds":5}"#)
        _ = try await cluster.wait("d", for: ["Running"])
        try await cluster.kill("web-01")
        let done = try await cluster.wait("d", seconds: 40)
        #expect(done.phase == "Failed")
        #expect(done.reason?.isEmpty == false)
        try await cluster.stop()
    }

    @Test func rightOneOfTwoRunsIt() async throws {
        let cluster = try await Cluster(agents: ["web-01", "web-02"])
        try await cluster.createScript("where", "printf %s \"$1\"", argKeys: ["node"])
        try await cluster.create("OperationSet", "where", #"{"sequence":["where"]}"#)
        try await cluster.create("Diagnosis", "both", #"{"operationSet":"where","targetSelector":{"nodeNames":["web-01","web-02"]}}"#)
        try await cluster.create("Diagnosis", "second", #"{"operationSet":"where","nodeName":"web-02:9100"}"#)
        let second = try await cluster.wait("second")
        #expect(second.result("operation.where.output") == .string("web-02"))
        let both = try await cluster.wait("both")
        #expect(both.phase == "Succeeded")
        #expect(both["status"]?["aggregate"]?["succeeded"] == .integer(2))
        let children = try await cluster.diagnoses().filter { $0["metadata"]?["ownerReferences"] != nil }
        #expect(Set(children.map { $0.result("operation.where.output") }) == [.string("web-01"), .string("web-02")])
        try await cluster.stop()
    }

    @Test func secondAgentOfOneNameIsRefused() async throws {
        let cluster = try await Cluster()
        try cluster.launch(
            "spare", program: "agent-executor", token: "agent-web-01.token",
            ["--node-name", "web-01", "--scheduler-url", cluster.url("scheduler")])
        #expect(try await eventually { cluster.log("spare").contains("is taken") }, "\(cluster.log("spare"))")
        // The first one still works.
        try await cluster.createScript("look", "echo here")
        try await cluster.create("OperationSet", "look", #"{"sequence":["look"]}"#)
        try await cluster.create("Diagnosis", "d", #"{"operationSet":"look","nodeName":"web-01"}"#)
        #expect(try await cluster.wait("d").phase == "Succeeded")
        try await cluster.stop()
    }

    @Test func copiedDataDirectoryDoesNotPassForTheFirst() async throws {
        let cluster = try await Cluster()
        try FileManager.default.copyItem(atPath: cluster.path("web-01"), toPath: cluster.path("spare"))
        try cluster.launch(
            "spare", program: "agent-executor", token: "agent-web-01.token",
            ["--node-name", "web-01", "--scheduler-url", cluster.url("scheduler")])
        #expect(
            try await eventually {
                let log = cluster.log("spare")
                return log.contains("is taken") || log.contains("copy") || !cluster.isRunning("spare")
            }, "\(cluster.log("spare"))")
        // The first one keeps its name, and jobs still reach it.
        try await cluster.createScript("look", "echo here")
        try await cluster.create("OperationSet", "look", #"{"sequence":["look"]}"#)
        for number in 0..<5 {
            try await cluster.create("Diagnosis", "d\(number)", #"{"operationSet":"look","nodeName":"web-01"}"#)
            #expect(try await cluster.wait("d\(number)").phase == "Succeeded")
        }
        try await cluster.stop()
    }
}
