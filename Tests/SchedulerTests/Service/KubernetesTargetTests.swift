import Foundation
import JSONCoding
import KubernetesTestServer
import Model
import ServiceKit
import TestSupport
import Testing

/// A scheduler, a kube-apiserver of the tests' own that it was given by a kubeconfig, and agents.
private struct KubernetesHouse {
    let server = KubernetesTestServer()
    let folder: TemporaryDirectory
    let house: SchedulerHouse
    var agents: [ScriptedAgent] = []

    /// - Parameters:
    ///   - isAway: the server has an address, and nobody listens there.
    ///   - agents: nodes that have one, which reports success at once.
    init(isAway: Bool = false, agents: [String] = ["web-07", "web-08"], settings: [String] = []) async throws {
        folder = try TemporaryDirectory()
        try server.start()
        for name in ["web-07", "web-08", "db-01"] {
            server.put(KubernetesObjects.node(name, labels: ["role": String(name.prefix { $0 != "-" }), "host": name]))
        }
        try "t1\n".write(toFile: folder.path + "/token", atomically: true, encoding: .utf8)
        let kubeconfig = server.kubeconfig(user: "{tokenFile: token}")
        try kubeconfig.write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        if isAway { await server.stop() }
        house = try await SchedulerHouse(
            nodes: ["web-07", "web-08", "db-01"],
            settings: ["--kubeconfig", folder.path + "/config", "--agent-lease", "1h", "--resolve-grace", "300ms"] + settings)
        for name in agents {
            let agent = try ScriptedAgent(name, of: house)
            agent.script.withLock { $0.succeedsAtOnce = true }
            try await agent.register()
            self.agents.append(agent)
        }
    }

    func stop() async {
        for agent in agents { await agent.stop() }
        await house.stop()
        await server.stop()
        folder.remove()
    }

    /// Waits until the scheduler knows as many pods as the server has by now, and follows them.
    func settle(pods: Int) async throws {
        let isSettled = try await eventually {
            let metrics = String(decoding: house.context?.metrics.text() ?? [], as: UTF8.self)
            return metrics.contains("\nkubernetes_connected 1\n") && metrics.contains("\nkubernetes_pods \(pods)\n")
                && metrics.contains("\nkubernetes_nodes 3\n")
        }
        try #require(isSettled, "\(server.requests)")
    }

    func reason(_ name: String) async throws -> String? { try await house.diagnosis(name)?.status?.reason }

    /// Creates a diagnosis of the pod `default/NAME`.
    func createOnPod(_ name: String, pod: String) async throws {
        #expect(try await house.create(name, node: "", ["podReference": ["namespace": "default", "name": .string(pod)]]) == 201)
    }

    func create(_ name: String, selecting selector: JSON) async throws {
        #expect(try await house.create(name, node: "", ["targetSelector": selector]) == 201)
    }
}

@Suite("Targets that Kubernetes knows")
struct KubernetesTargetTests {
    @Test("a pod leads to its node, and labels of nodes and pods to a diagnosis for each node")
    func targets() async throws {
        let kube = try await KubernetesHouse()
        kube.server.put(KubernetesObjects.pod("default", "web-a", on: "web-08", labels: ["app": "web"]))
        kube.server.put(KubernetesObjects.pod("other", "web-b", on: "web-07", labels: ["app": "web", "tier": "front"]))
        kube.server.put(KubernetesObjects.pod("other", "web-c", on: "web-07", labels: ["app": "web"]))
        kube.server.put(KubernetesObjects.pod("other", "web-d", on: nil, labels: ["app": "web"]))
        try await kube.settle(pods: 4)

        try await kube.createOnPod("pod", pod: "web-a")
        let onPod = try await kube.house.wait("pod", for: .succeeded)
        #expect(onPod?.status?.nodeName == "web-08", "\(String(describing: onPod?.status))")
        #expect(kube.agents[1].jobs.first?.pod == PodReference(namespace: "default", name: "web-a"))

        let notDatabases: JSON = ["matchExpressions": [["key": "role", "operator": "NotIn", "values": ["db"]]]]
        let pair: JSON = [["namespace": "default", "name": "web-a"], ["namespace": "other", "name": "web-c"]]
        let several: [(String, JSON, [String])] = [
            ("by-label", ["nodeSelector": ["matchLabels": ["role": "web"]]], ["web-07", "web-08"]),
            ("by-set", ["nodeSelector": notDatabases], ["web-07", "web-08"]),
            ("by-pods", ["podSelector": ["matchLabels": ["app": "web"]]], ["web-07", "web-08"]),
            ("references", ["podReferences": pair], ["web-08", "web-07"]),
        ]
        for (name, selector, nodes) in several {
            try await kube.create(name, selecting: selector)
            let end = try await kube.house.wait(name, for: .succeeded)
            #expect(end?.status?.aggregate?.nodes == nodes, "\(name): \(String(describing: end?.status))")
            #expect(end?.status?.aggregate?.succeeded == 2, "\(name)")
        }
        let single: [(String, JSON, String)] = [
            ("one-node", ["nodeSelector": ["matchExpressions": [["key": "host", "operator": "In", "values": ["web-08"]]]]], "web-08"),
            ("one-pod", ["podSelector": ["matchExpressions": [["key": "tier", "operator": "Exists"]]]], "web-07"),
        ]
        for (name, selector, node) in single {
            try await kube.create(name, selecting: selector)
            let end = try await kube.house.wait(name, for: .succeeded)
            #expect(end?.status?.nodeName == node && end?.status?.aggregate == nil, "\(name): \(String(describing: end?.status))")
        }
        let areCounted = try await eventually {
            let metrics = String(decoding: kube.house.context?.metrics.text() ?? [], as: UTF8.self)
            return metrics.contains("\ndiagnoses_unfinished{phase=\"Pending\"} 0\n")
        }
        #expect(areCounted)
        await kube.stop()
    }

    @Test("what leads nowhere ends with its reason")
    func nowhere() async throws {
        let kube = try await KubernetesHouse(settings: ["--target-wait", "300ms"])
        kube.server.put(KubernetesObjects.pod("default", "homeless", on: nil))
        kube.server.put(KubernetesObjects.pod("default", "on-db", on: "db-01"))
        try await kube.settle(pods: 2)
        try await kube.createOnPod("gone", pod: "gone")
        try await kube.createOnPod("homeless", pod: "homeless")
        try await kube.createOnPod("agentless", pod: "on-db")
        #expect(try await kube.house.create("agentless-node", node: "db-01") == 201)
        #expect(try await kube.house.create("unknown-node", node: "db-02") == 201)
        try await kube.create("no-node", selecting: ["nodeSelector": ["matchLabels": ["role": "cache"]]])
        try await kube.create("no-pod", selecting: ["podSelector": ["matchLabels": ["app": "cache"]]])
        let others: JSON = ["matchExpressions": [["key": "host", "operator": "NotIn", "values": ["web-08"]]]]
        try await kube.create("half", selecting: ["nodeSelector": others])
        for (name, reason) in [
            ("gone", "PodNotFound"), ("homeless", "PodNotScheduled"), ("agentless", "AgentNotFound"), ("agentless-node", "AgentNotFound"),
            ("unknown-node", "NodeNotFound"), ("no-node", "NoNodesMatched"), ("no-pod", "NoNodesMatched"), ("half", "ChildrenFailed"),
        ] {
            let end = try await kube.house.wait(name, for: .failed)
            #expect(end?.status?.reason == reason, "\(name): \(String(describing: end?.status))")
            #expect(end?.status?.conditions?["Failed"]?.reason == reason, "\(name)")
        }
        #expect(try await kube.house.diagnosis("homeless")?.status?.message?.contains("Insufficient cpu") == true)
        await kube.stop()
    }

    @Test("a pod that is scheduled late, across a restart of the scheduler")
    func scheduledLate() async throws {
        let kube = try await KubernetesHouse()
        kube.server.put(KubernetesObjects.pod("default", "late", on: nil))
        kube.server.put(KubernetesObjects.pod("default", "never", on: nil))
        try await kube.settle(pods: 2)
        try await kube.createOnPod("late", pod: "late")
        try await kube.createOnPod("cancelled", pod: "never")
        #expect(try await eventually { try await kube.reason("late") == "PodNotScheduled" })
        #expect(try await eventually { try await kube.reason("cancelled") == "PodNotScheduled" })
        #expect(try await kube.house.diagnosis("late")?.status?.phase == .pending)
        #expect(try await kube.house.send(.post, "/api/v1/diagnoses/kubediag/cancelled/cancel").status == 200)
        #expect(try await kube.house.wait("cancelled", for: .failed)?.status?.reason == "Cancelled")
        await kube.house.halt()
        kube.server.put(KubernetesObjects.pod("default", "late", on: "web-07"))
        try await kube.house.start()
        for agent in kube.agents { try await agent.register() }
        let end = try await kube.house.wait("late", for: .succeeded)
        #expect(end?.status?.nodeName == "web-07", "\(String(describing: end?.status))")
        await kube.stop()
    }

    @Test("a server that is away: others go on, what needs it waits and says so, and goes on when it comes")
    func away() async throws {
        let kube = try await KubernetesHouse(isAway: true)
        kube.server.put(KubernetesObjects.pod("default", "web-a", on: "web-08", labels: ["app": "web"]))
        try await kube.createOnPod("pod", pod: "web-a")
        try await kube.create("pods", selecting: ["podSelector": ["matchLabels": ["app": "web"]]])
        #expect(try await kube.house.create("node") == 201)
        #expect(try await kube.house.wait("node", for: .succeeded)?.status?.phase == .succeeded)
        for name in ["pod", "pods"] {
            #expect(try await eventually { try await kube.reason(name) == "KubernetesNotConnected" })
            let status = try await kube.house.diagnosis(name)?.status
            #expect(status?.phase == .pending && status?.message?.contains(kube.server.url) == true, "\(String(describing: status))")
            #expect(status?.conditions?["Dispatched"]?.reason == "KubernetesNotConnected")
        }
        #expect(kube.house.context?.health.missing.isEmpty == true, "readiness does not ask for Kubernetes")
        try kube.server.start()
        for name in ["pod", "pods"] {
            #expect(try await kube.house.wait(name, for: .succeeded)?.status?.nodeName == "web-08", "\(name)")
        }
        await kube.stop()
    }

    @Test("a server that never comes, and one that lets nobody in, end what waits for them")
    func neverThere() async throws {
        let kube = try await KubernetesHouse(isAway: true, settings: ["--target-wait", "300ms"])
        try await kube.createOnPod("pod", pod: "web-a")
        #expect(try await kube.house.wait("pod", for: .failed)?.status?.reason == "KubernetesNotConnected")
        kube.server.accept(tokens: ["another"])
        try kube.server.start()
        try #require(try await eventually { kube.server.requests.contains { $0.token == "t1" } })
        try await kube.createOnPod("pod-2", pod: "web-a")
        let end = try await kube.house.wait("pod-2", for: .failed)
        #expect(end?.status?.reason == "KubernetesNotConnected", "\(String(describing: end?.status))")
        // Nobody tells the token on the way.
        #expect(end?.status?.message?.contains("t1") == false)
        await kube.stop()
    }

    @Test("a lost history is read anew, and an expired token once more from its file")
    func lostHistory() async throws {
        let kube = try await KubernetesHouse()
        kube.server.put(KubernetesObjects.pod("default", "old", on: "web-07"))
        try await kube.settle(pods: 1)
        try await kube.createOnPod("before", pod: "old")
        #expect(try await kube.house.wait("before", for: .succeeded)?.status?.phase == .succeeded)
        await kube.server.stop()
        kube.server.delete(KubernetesObjects.pod("default", "old", on: nil))
        for name in ["new", "newer"] { kube.server.put(KubernetesObjects.pod("default", name, on: "web-08")) }
        kube.server.compact()
        kube.server.accept(tokens: ["t2"])
        try "t2\n".write(toFile: kube.folder.path + "/token", atomically: true, encoding: .utf8)
        try kube.server.start()
        try await kube.settle(pods: 2)
        try await kube.createOnPod("gone", pod: "old")
        try await kube.createOnPod("found", pod: "new")
        #expect(try await kube.house.wait("found", for: .succeeded)?.status?.nodeName == "web-08")
        #expect(try await kube.house.wait("gone", for: .failed)?.status?.reason == "PodNotFound")
        #expect(kube.server.requests.contains { $0.token == "t2" && !$0.isWatch })
        await kube.stop()
    }

    @Test("a user that would run a program keeps the scheduler from starting, and the error names it")
    func execIsRefused() async throws {
        let server = KubernetesTestServer()
        try server.start()
        let folder = try TemporaryDirectory()
        let kubeconfig = server.kubeconfig(user: "{exec: {command: get-token}}")
        try kubeconfig.write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        let fault = await #expect(throws: ConfigurationFaults.self) {
            _ = try await SchedulerHouse(settings: ["--kubeconfig", folder.path + "/config"])
        }
        #expect(fault?.description.contains("\(folder.path)/config") == true)
        #expect(fault?.description.contains("users[me].user.exec: runs a program, which is not supported") == true)
        #expect(server.requests.isEmpty)
        await server.stop()
        folder.remove()
    }

    @Test("without a cluster the errors say what is missing")
    func withoutCluster() async throws {
        let house = try await SchedulerHouse()
        _ = try await house.create("pod", node: "", ["podReference": ["namespace": "default", "name": "web"]])
        _ = try await house.create("pods", node: "", ["targetSelector": ["podSelector": ["matchLabels": ["a": "b"]]]])
        _ = try await house.create("nodes", node: "", ["targetSelector": ["nodeSelector": ["matchLabels": ["a": "b"]]]])
        for (name, reason) in [("pod", "NoPodSource"), ("pods", "NoPodSource"), ("nodes", "NoNodeSource")] {
            let end = try await house.wait(name, for: .failed)
            #expect(end?.status?.reason == reason, "\(name)")
            #expect(end?.status?.message?.contains("--kubeconfig") == true, "\(name)")
        }
        await house.stop()
    }
}
