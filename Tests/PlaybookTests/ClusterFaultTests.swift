import Foundation
import JSONCoding
import KubernetesTestServer
import Model
import TestSupport
import Testing

/// Faults whose alerts name a pod, or nobody: whole systems, with recorded machines.
@Suite(.serialized) struct ClusterFaultTests {
    private static let uid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    private static let kubepods = "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice"

    /// Of a container with a quota: of ten periods that pass so many are throttled, and hardly one was before.
    private static func container(_ digit: Character, pod: String, throttled: String) -> [String: String] {
        let slice = "kubepods-burstable-pod\(pod.replacing("-", with: "_")).slice"
        let scope = "cri-containerd-\(String(repeating: digit, count: 64)).scope"
        return [
            "\(kubepods)/\(slice)/\(scope)/cpu.stat":
                "usage_usec #00000\nnr_periods 9#0\nnr_throttled \(throttled)\nthrottled_usec \(throttled)0000\n"
        ]
    }

    @Test func aThrottledContainerIsDiagnosed() async throws {
        let server = KubernetesTestServer()
        try server.start()
        server.put(KubernetesObjects.node("node-1"))
        server.put(KubernetesObjects.node("node-2"))
        server.put(KubernetesObjects.pod("shop", "cart-0", on: "node-1", uid: Self.uid))
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        try server.kubeconfig().write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        let kubeconfig = ["--kubeconfig", folder.path + "/config"]
        let machine = try LivingMachine(
            files: ["/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n", "/proc/loadavg": "0.50 0.40 0.30 1/90 4242\n"]
                .merging(Self.container("a", pod: Self.uid, throttled: "#*4")) { $1 }
                .merging(Self.container("b", pod: "11111111-2222-3333-4444-555555555555", throttled: "#")) { $1 })
        try await Cluster.withPlaybooks(laterAgents: ["node-1", "node-2"], scheduler: kubeconfig) { cluster in
            try await cluster.startAgent("node-1", kubeconfig + machine.arguments)
            try await cluster.startAgent("node-2", kubeconfig)
            let alert = TestAlert(
                "CPUThrottlingHigh", instance: nil, ["namespace": "shop", "pod": "cart-0", "container": "main", "severity": "info"])
            #expect(try await cluster.post([alert]).status == 200)

            let done = try await cluster.diagnosis(of: "cpu-throttling")
            #expect(done.phase == "Succeeded", "\(done["status"] ?? .null)")
            #expect(done["status"]?["nodeName"] == "node-1")
            #expect(done.succeededPath == ["cpu-throttling", "pod-detail-collector", "process-collector"])
            let finding = try done.finding("cpu-throttling")
            #expect(finding["summary"] == "container aaaaaaaaaaaa is throttled in 40 % of its CPU periods.")
            #expect(finding["severity"] == "Warning")
            #expect(finding.evidence("container aaaaaaaaaaaa periods throttled") == 40)
            #expect(finding.evidence("container bbbbbbbbbbbb periods throttled") == 10)
            #expect(finding.evidence("container aaaaaaaaaaaa time throttled")?.numberValue ?? 0 > 0.5, "\(finding)")
            #expect(done.result("collector.kubernetes.pod.detail")?.stringValue?.contains(Self.uid) == true)
        }
        machine.stop()
        await server.stop()
    }

    private static let brokenKubelet = """
        #!/bin/sh
        printf 'Id=kubelet.service\\nLoadState=loaded\\nActiveState=failed\\nSubState=failed\\n'
        printf 'Result=exit-code\\nExecMainStatus=1\\nNRestarts=0\\n\\n'
        printf 'Id=ssh.service\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\nNRestarts=0\\n'
        """

    /// CoreDNS, all kubelets, an etcd cluster: their alerts name no machine, and the agent called `cluster` looks at its own.
    @Test func whatNamesNoNodeIsDiagnosed() async throws {
        let failing = try DNSServer { query, _ in query.answer(code: 2, records: 0) }
        defer { failing.stop() }
        let slow = try DNSServer { query, _ in
            usleep(600_000)  // The fault: a resolver that takes so long.
            return query.answer(code: 0, records: 1)
        }
        defer { slow.stop() }
        let machine = try LivingMachine(
            files: [
                "/etc/resolv.conf": "search svc.cluster.local\nnameserver \(failing.address)\n",
                "/proc/diskstats": "8 0 sda 1 0 1 1 0 0 0 0 0 1 1\n", "/sys/block/sda/size": "1",
                "/proc/pressure/io": "some avg10=50.00 avg60=50.00 avg300=2.00 total=5\nfull avg10=40.00 avg60=20.00 avg300=1.00 total=4\n",
            ], tools: ["systemctl": Self.brokenKubelet])
        try await Cluster.withPlaybooks(laterAgents: ["control-1", "web-01"]) { cluster in
            try await cluster.startAgent("control-1", machine.arguments + ["--alias", "cluster"])
            try await cluster.startAgent("web-01")
            let alerts = [
                TestAlert("CoreDNSErrorsHigh", instance: nil, ["job": "kube-dns", "severity": "critical"]),
                TestAlert("CoreDNSForwardLatencyHigh", instance: nil, ["to": slow.address, "severity": "critical"]),
                TestAlert("KubeletDown", instance: nil, ["job": "kubelet", "severity": "critical"]),
                TestAlert("etcdHighNumberOfLeaderChanges", instance: nil, ["job": "etcd", "severity": "warning"]),
            ]
            #expect(try await cluster.post(alerts).status == 200)

            let errors = try await cluster.diagnosis(of: "dns-latency") { $0["spec"]?["parameters"]?["resolver"] == nil }
            #expect(errors.succeededPath == ["dns", "conntrack", "softnet", "process-collector"], "\(errors["status"] ?? .null)")
            #expect(errors["status"]?["nodeName"] == "control-1")
            let dead = try errors.finding("dns")
            #expect(dead["severity"] == "Critical")
            #expect(dead["summary"]?.stringValue == "\(failing.address) failed 3 of 3 questions for the root's servers: SERVFAIL.")
            #expect(dead.evidence("\(failing.address) failures") == 3)

            let latency = try await cluster.diagnosis(of: "dns-latency") { $0["spec"]?["parameters"]?["resolver"] != nil }
            #expect(latency.succeededPath == errors.succeededPath)
            let late = try latency.finding("dns")
            #expect(late["severity"] == "Warning")
            #expect(late["summary"]?.stringValue?.hasPrefix("\(slow.address) took up to ") == true, "\(late)")
            #expect(late.evidence("\(slow.address) answers") == 3 && late.evidence("\(slow.address) failures") == 0)
            #expect(late.evidence("\(slow.address) fastest")?.numberValue ?? 0 >= 0.6, "\(late)")

            let kubelet = try await cluster.diagnosis(of: "node-not-ready")
            #expect(kubelet.succeededPath == ["failed-units", "process-collector"], "\(kubelet["status"] ?? .null)")
            #expect(try kubelet.finding("failed-units")["summary"] == "1 unit has failed: kubelet.service.")
            let leaders = try await cluster.diagnosis(of: "etcd-latency")
            #expect(leaders.succeededPath == ["io-pressure"], "\(leaders["status"] ?? .null)")
            #expect(leaders["status"]?["nodeName"] == "control-1")
        }
        machine.stop()
    }
}
