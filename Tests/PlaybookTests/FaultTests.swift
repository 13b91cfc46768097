import Foundation
import HTTPClient
import JSONCoding
import KubernetesTestServer
import Model
import RecordedHost
import TestSupport
import Testing

/// The fault is there, its alert comes, and the playbook says what it is: whole systems, with an agent for each recorded machine.
@Suite(.serialized) struct FaultTests {
    @Test func recordedMachinesAreDiagnosed() async throws {
        try await Cluster.withPlaybooks(laterAgents: RecordedFault.all.map(\.node)) { cluster in
            var machines: [LivingMachine] = []
            for fault in RecordedFault.all {
                let machine = try LivingMachine(files: fault.files, tools: fault.tools)
                machines.append(machine)
                try await cluster.startAgent(fault.node, machine.arguments)
            }
            let answer = try await cluster.post(RecordedFault.all.map(\.alert))
            #expect(answer.status == 200)
            for fault in RecordedFault.all {
                let done = try await cluster.diagnosis(of: fault.playbook) {
                    $0["spec"]?["nodeName"]?.stringValue?.split(separator: ":").first == fault.node[...]
                }
                let status = done["status"] ?? .null
                #expect(done.phase == "Succeeded", "\(fault.node): \(status)")
                #expect(status["summary"]?.stringValue?.contains(fault.summary) == true, "\(fault.node): \(status["summary"] ?? .null)")
                #expect(done.succeededPath == fault.path, "\(fault.node)")
                #expect(status["nodeName"]?.stringValue == fault.node)
                let finding = try done.finding(fault.path[0])
                #expect(finding["severity"]?.stringValue == fault.severity, "\(fault.node): \(finding)")
                for (name, value) in fault.evidence { #expect(finding.evidence(name) == value, "\(fault.node): \(name) in \(finding)") }
            }
            for machine in machines { machine.stop() }
        }
    }

    /// A file system of its own, small and full, on the machine that the tests run on. A third of its inodes is left: what is
    /// only foretold is diagnosed too.
    @Test func aFullFileSystemIsDiagnosed() async throws {
        let mount = try TemporaryDirectory()
        try ProcessTable.run("mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=200", "tmpfs", mount.path)
        defer {
            try? ProcessTable.run("umount", "--lazy", mount.path)
            mount.remove()
        }
        try ProcessTable.run(
            "sh", "-c", "mkdir \(mount.path)/logs && dd if=/dev/zero of=\(mount.path)/logs/big bs=64k count=126 2>/dev/null")
        try ProcessTable.run("sh", "-c", "mkdir \(mount.path)/many && cd \(mount.path)/many && seq 1 130 | xargs touch")
        try await Cluster.withPlaybooks(agents: ["web-01"]) { cluster in
            let labels = ["mountpoint": mount.path]
            let alerts = ["NodeFilesystemAlmostOutOfSpace", "NodeFilesystemFilesFillingUp"].map {
                TestAlert($0, instance: "web-01:9100", labels)
            }
            #expect(try await cluster.post(alerts).status == 200)
            let space = try await cluster.diagnosis(of: "filesystem-space")
            #expect(space.succeededPath == ["disk-space", "process-collector"], "\(space["status"] ?? .null)")
            #expect(space["status"]?["summary"]?.stringValue?.contains(mount.path) == true, "\(space["status"]?["summary"] ?? .null)")
            #expect(try space.finding("disk-space")["severity"] == "Critical")
            #expect(space.result("diskSpace.finding")?.stringValue?.contains("\(mount.path)/logs") == true)
            let inodes = try await cluster.diagnosis(of: "filesystem-inodes")
            #expect(inodes.succeededPath == ["inodes"], "\(inodes["status"] ?? .null)")
            #expect(try inodes.finding("inodes")["severity"] == "Warning")
            #expect(inodes.result("inodes.finding")?.stringValue?.contains("\(mount.path)/many") == true)
        }
    }

    /// Alerts about pods and sets find their node and their objects through the cluster's own API.
    @Test func whatBelongsToKubernetesIsDiagnosed() async throws {
        let server = KubernetesTestServer()
        try server.start()
        server.put(KubernetesObjects.node("node-1"))
        server.put(KubernetesObjects.pod("shop", "cart-0", on: "node-1"))
        server.put([
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": ["name": "cart", "namespace": "shop"], "spec": ["replicas": 3],
            "status": ["readyReplicas": 1],
        ])
        let folder = try TemporaryDirectory()
        try server.kubeconfig().write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        let kubeconfig = ["--kubeconfig", folder.path + "/config"]
        let machine = try RecordedHost(["/dev/kmsg": "", "/proc/vmstat": "oom_kill 0\n"])
        try await Cluster.withPlaybooks(laterAgents: ["node-1"], scheduler: kubeconfig) { cluster in
            try await cluster.startAgent("node-1", kubeconfig + ["--host-root", machine.root, "--alias", "cluster"])
            let pod = ["namespace": "shop", "pod": "cart-0", "container": "main"]
            let alerts = [
                TestAlert("KubePodCrashLooping", instance: "10.0.0.9:8080", pod),
                TestAlert("KubePodNotReady", instance: "10.0.0.9:8080", pod),
                TestAlert("KubeStatefulSetReplicasMismatch", instance: "10.0.0.9:8080", ["namespace": "shop", "statefulset": "cart"]),
            ]
            #expect(try await cluster.post(alerts).status == 200)
            let looping = try await cluster.diagnosis(of: "pod-crash-looping")
            #expect(looping.succeededPath == ["oom-kills", "cgroup-memory", "pod-detail-collector"], "\(looping["status"] ?? .null)")
            #expect(looping["status"]?["nodeName"] == "node-1")
            let unready = try await cluster.diagnosis(of: "pod-not-ready")
            #expect(
                unready.succeededPath.first == "pod-detail-collector" && unready.succeededPath.last == "pod-list-collector",
                "\(unready["status"] ?? .null)")
            let set = try await cluster.diagnosis(of: "statefulset-replicas")
            #expect(set.succeededPath == ["statefulset-detail-collector", "pod-list-collector"], "\(set["status"] ?? .null)")
            #expect(set.result("collector.kubernetes.statefulset.detail.result")?.stringValue?.contains("\"replicas\":3") == true)

            // Nothing was changed; the repair of a node stands behind its gate, which a person opens.
            try await cluster.create("Diagnosis", "kept", #"{"operationSet":"cordon-only","nodeName":"node-1"}"#)
            try await cluster.create("OperationSet", "cordon-only", #"{"sequence":["approve-cordon","node-cordon"]}"#)
            #expect(try await cluster.wait("kept").phase == "Failed")
            #expect(try await node(server, cluster)["spec"]?["unschedulable"] == nil)
            try await cluster.create(
                "Diagnosis", "approved", #"{"operationSet":"cordon-only","nodeName":"node-1","parameters":{"approve":"cordon"}}"#)
            let approved = try await cluster.wait("approved")
            #expect(approved.phase == "Succeeded", "\(approved["status"] ?? .null)")
            #expect(try await node(server, cluster)["spec"]?["unschedulable"] == true)
        }
        await server.stop()
        folder.remove()
    }

    private func node(_ server: KubernetesTestServer, _ cluster: Cluster) async throws -> JSON {
        let response = try await cluster.http.send(
            ClientRequest(method: .get, url: "\(server.url)/api/v1/nodes/node-1", timeoutSeconds: 10))
        return try JSON(parsing: response.body)
    }
}
