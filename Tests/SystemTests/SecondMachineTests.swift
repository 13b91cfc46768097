import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// A second machine: an agent in a network namespace of its own, which is cut off and comes back.
@Suite(.serialized) struct SecondMachineTests {
    /// Two namespaces and a cable between them.
    private struct Network {
        let near = "kd-near-\(getpid())"
        let far = "kd-far-\(getpid())"

        init() throws {
            try ProcessTable.run("ip", "netns", "add", near)
            try ProcessTable.run("ip", "netns", "add", far)
            try ProcessTable.run("ip", "link", "add", "kdn", "netns", near, "type", "veth", "peer", "name", "kdf", "netns", far)
            for (namespace, device, address) in [(near, "kdn", "10.77.77.1/24"), (far, "kdf", "10.77.77.2/24")] {
                try ProcessTable.run("ip", "-n", namespace, "addr", "add", address, "dev", device)
                try ProcessTable.run("ip", "-n", namespace, "link", "set", "lo", "up")
                try ProcessTable.run("ip", "-n", namespace, "link", "set", device, "up")
            }
        }

        func cable(_ state: String) throws { try ProcessTable.run("ip", "-n", far, "link", "set", "kdf", state) }

        func remove() {
            for namespace in [near, far] { try? ProcessTable.run("ip", "netns", "del", namespace) }
        }
    }

    @Test func joinsIsCutOffAndComesBack() async throws {
        let network = try Network()
        defer { network.remove() }
        let near = ["graph-builder", "scheduler", "router", "web-01", "web-03"].map { ($0, network.near) }
        let cluster = try await Cluster(
            agents: ["web-01", "web-03"], scheduler: ["--listen", "0.0.0.0", "--allowed-hosts", "10.77.77.1"],
            namespaces: Dictionary(uniqueKeysWithValues: near + [("spare", network.far)]))
        let port = cluster.url("scheduler").split(separator: ":").last ?? ""
        try await cluster.start(
            "spare", program: "agent-executor", token: "agent-spare.token",
            [
                "--node-name", "spare", "--listen", "0.0.0.0", "--allowed-hosts", "10.77.77.2", "--advertise-address",
                "http://10.77.77.2:18090",
                "--scheduler-url", "http://10.77.77.1:\(port)",
            ], port: 18090)
        #expect(try await eventually { try await cluster.isReady(agent: "spare") }, "\(cluster.log("spare"))")
        try await cluster.createScript("slow", "sleep 3; echo over")
        try await cluster.create("OperationSet", "slow", #"{"sequence":["slow"]}"#)
        try await cluster.create("Diagnosis", "first", #"{"operationSet":"slow","nodeName":"spare"}"#)
        #expect(try await cluster.wait("first").phase == "Succeeded")
        try await cluster.create("Diagnosis", "second", #"{"operationSet":"slow","nodeName":"spare"}"#)
        _ = try await cluster.wait("second", for: ["Running"])
        try network.cable("down")
        _ = try await cluster.wait("second", for: ["Unknown"])
        try network.cable("up")
        let done = try await cluster.wait("second", seconds: 60)
        #expect(done.phase == "Succeeded")
        #expect(done.result("operation.slow.output") == .string("over\n"))
        try await cluster.stop()
    }
}
