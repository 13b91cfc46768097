import AgentOperations
import AgentProcessors
import HTTPServer
import JSONCoding
import KubernetesTestServer
import RecordedHost
import Testing

@Suite("Kubernetes processors") struct KubernetesTests {
    @Test func podsOfThisNodeAndNoOther() async throws {
        try await ClusterFixture.with { fixture in
            for index in 0..<600 { fixture.server.put(KubernetesObjects.pod("a", "p\(index)", on: index % 2 == 0 ? "n1" : "n2")) }
            var managed = KubernetesObjects.pod("b", "managed", on: "n1")
            managed["metadata"]?["managedFields"] = [["manager": "kubelet"]]
            fixture.server.put(managed)
            let outcome = try await fixture.operation("podListCollector").run(on: RecordedHost().host())
            let pods = try #require(outcome.json("collector.kubernetes.pod.list").arrayValue)
            #expect(pods.count == 301)
            #expect(pods.allSatisfy { $0["kind"]?.stringValue == "Pod" && $0[path: "spec", "nodeName"] == "n1" })
            #expect(pods.allSatisfy { $0[path: "metadata", "managedFields"] == nil })
            #expect(fixture.server.requests.allSatisfy { $0.query.contains("fieldSelector=spec.nodeName%3Dn1") })
        }
    }

    @Test func onePodAndWhatStandsInItsWay() async throws {
        try await ClusterFixture.with { fixture in
            let host = try RecordedHost().host()
            let operation = try fixture.operation("podDetailCollector")
            fixture.server.put(KubernetesObjects.pod("shop", "web-0", on: "n1"))
            let outcome = try await operation.run(["pod.namespace": "shop", "pod.name": "web-0"], on: host)
            #expect(try outcome.json("collector.kubernetes.pod.detail")[path: "metadata", "name"] == "web-0")

            await #expect(throws: BuiltInFault.failed("get Pod shop/web-1: pods \"shop/web-1\" not found")) {
                try await operation.run(["pod.namespace": "shop", "pod.name": "web-1"], on: host)
            }
            await #expect { try await operation.run(["pod.namespace": "../shop"], on: host) } throws: { error in
                guard case .parametersInvalid(let faults) = error as? BuiltInFault else { return false }
                return faults.map(\.path) == ["pod.namespace", "pod.name"]
            }
            fixture.server.accept(tokens: ["another"])
            await #expect {
                try await operation.run(["pod.namespace": "shop", "pod.name": "web-0"], on: host)
            } throws: {
                $0 as? BuiltInFault
                    == .privilegeMissing(
                        what: "get Pod shop/web-0 (Unauthorized)",
                        needs: "the verb get on pods in the namespace shop for the agent's account")
            }
            await fixture.server.stop()
            await #expect {
                try await operation.run(["pod.namespace": "shop", "pod.name": "web-0"], on: host, seconds: 1)
            } throws: { error in
                switch error as? BuiltInFault {
                case .unavailable(let text), .timedOut(let text): text.contains("the kube-apiserver at http://127.0.0.1:")
                default: false
                }
            }
        }
    }

    @Test func withoutAClusterEachSaysSo() async throws {
        let host = try RecordedHost().host()
        let processors = Processors(kubernetes: nil, node: "n1")
        for name in ["podListCollector", "podDetailCollector", "statefulsetDetailCollector", "statefulsetStuck", "nodeCordon"] {
            await #expect(throws: BuiltInFault.unavailable("no Kubernetes cluster is connected to this agent (--kubeconfig, --kubernetes)"))
            {
                try await processors.operation(name).run(
                    [
                        "pod.namespace": "shop", "pod.name": "web-0", "collector.kubernetes.statefulset.namespace": "shop",
                        "collector.kubernetes.statefulset.name": "web",
                    ], on: host)
            }
        }
    }

    private static func set(image: String) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": ["namespace": "shop", "name": "web"],
            "spec": ["template": ["spec": ["containers": [["name": "main", "image": .string(image)]]]]],
        ]
    }

    private static func pod(waiting reason: String? = "ImagePullBackOff", owner: String? = "web") -> JSON {
        var pod = KubernetesObjects.pod("shop", "web-0", on: "n1", uid: "u1")
        if let owner { pod["metadata"]?["ownerReferences"] = [["kind": "StatefulSet", "name": .string(owner), "controller": true]] }
        pod["spec"]?["containers"] = [["name": "main", "image": "web:broken"]]
        var state: JSON = ["running": [:]]
        if let reason { state = ["waiting": ["reason": .string(reason)]] }
        pod["status"]?["containerStatuses"] = [["name": "main", "image": "registry/web:broken", "state": state]]
        return pod
    }

    @Test func aStatefulSetByNameOrByItsPod() async throws {
        try await ClusterFixture.with { fixture in
            let machine = try RecordedHost()
            let host = try machine.host()
            let operation = try fixture.operation("statefulsetDetailCollector")
            fixture.server.put(Self.set(image: "web:1"))
            let detail = String(decoding: Self.pod().encoded(), as: UTF8.self)
            try machine.put("/var/lib/kubediag/whole", detail)
            for parameters in [
                ["collector.kubernetes.statefulset.namespace": "shop", "collector.kubernetes.statefulset.name": "web"],
                ["collector.kubernetes.pod.detail": detail],
                // What is too long for the context is there as a preview and a path.
                ["collector.kubernetes.pod.detail": "{\"metadata\":", "collector.kubernetes.pod.detail.path": "/var/lib/kubediag/whole"],
            ] {
                let outcome = try await operation.run(parameters, on: host)
                #expect(try outcome.json("collector.kubernetes.statefulset.detail.result")[path: "metadata", "name"] == "web")
            }
            for bad in [
                [:], ["collector.kubernetes.pod.detail": "{"], ["collector.kubernetes.pod.detail": "[]"],
                ["collector.kubernetes.statefulset.name": "web"],
                ["collector.kubernetes.pod.detail": detail, "collector.kubernetes.pod.detail.path": "/var/lib/../../etc/shadow"],
            ] {
                await #expect { try await operation.run(bad, on: host) } throws: {
                    if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
                }
            }
            let orphan = String(decoding: Self.pod(owner: nil).encoded(), as: UTF8.self)
            await #expect(throws: BuiltInFault.failed("the pod shop/web-0 belongs to no stateful set")) {
                try await operation.run(["collector.kubernetes.pod.detail": orphan], on: host)
            }
        }
    }

    @Test func aStuckPodIsDeletedAndNoOther() async throws {
        try await ClusterFixture.with { fixture in
            let host = try RecordedHost().host()
            let operation = try fixture.operation("statefulsetStuck")
            let named = ["pod.namespace": "shop", "pod.name": "web-0"]
            func deletions() -> [KubernetesTestServer.Recorded] { fixture.server.requests.filter { $0.method == .delete } }

            for (pod, image) in [
                (Self.pod(), "web:broken"), (Self.pod(waiting: "CrashLoopBackOff"), "web:2"), (Self.pod(waiting: nil), "web:2"),
                (Self.pod(owner: nil), "web:2"),
            ] {
                fixture.server.put(Self.set(image: image))
                fixture.server.put(pod)
                #expect(try await operation.run(named, on: host).ruledOut != nil)
            }
            // What an earlier operation saw has been replaced by now.
            fixture.server.put(Self.pod())
            var older = Self.pod()
            older["metadata"]?["uid"] = "u0"
            let seen = ["collector.kubernetes.pod.detail": String(decoding: older.encoded(), as: UTF8.self)]
            #expect(try await operation.run(seen, on: host).ruledOut?.contains("replaced") == true)
            #expect(deletions().isEmpty)

            let version = fixture.server.put(Self.pod())
            let outcome = try await operation.run(named, on: host)
            #expect(outcome.ruledOut == nil)
            #expect(try outcome.text("recover.kubernetes.statefulset_stuck.result").contains("shop/web-0 is deleted"))
            #expect(try outcome.text("recover.kubernetes.statefulset_stuck.bug_link").hasSuffix("/67250"))
            #expect(deletions().map(\.path) == ["/api/v1/namespaces/shop/pods/web-0"])
            #expect(deletions().first?.body?["preconditions"] == ["uid": "u1", "resourceVersion": .string(String(version))])
            #expect(operation.declaration.effect == .mutate)
        }
    }

    @Test func thisNodeIsCordonedOnce() async throws {
        try await ClusterFixture.with { fixture in
            let host = try RecordedHost().host()
            let operation = try fixture.operation("nodeCordon")
            for name in ["n1", "n2"] { fixture.server.put(KubernetesObjects.node(name)) }
            for _ in 0..<2 {
                let outcome = try await operation.run(["node": "n2", "nodeCordon.node": "n2"], on: host)
                #expect(try outcome.text("recover.kubernetes.node_cordon.result.name") == "n1")
            }
            let patches = fixture.server.requests.filter { $0.method == .patch }
            #expect(patches.map(\.path) == ["/api/v1/nodes/n1"])
            #expect(patches.first?.body == ["spec": ["unschedulable": true]])
            #expect(try operation.plan(BuiltInContext(operation.declaration, values: [:], timeoutSeconds: 1)).contains("node n1"))
        }
    }
}
