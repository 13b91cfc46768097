import Foundation
import JSONCoding
import KubernetesTestServer
import Model
import ServiceKit
import TestSupport
import Testing
import TriggerRouterService

/// A trigger-router that watches the Events of a cluster, whose server is one of our own.
@Suite struct ClusterEventTests {
    private static let watched = "/api/v1/events"

    /// A cluster, a router of it with a trigger on `BackOff`, and a data directory that outlives the router.
    private final class Fixture: Sendable {
        let cluster = KubernetesTestServer()
        let peer: IntakePeer
        let directory: TemporaryDirectory

        init(tokens: Set<String>? = nil) throws {
            peer = try IntakePeer()
            directory = try TemporaryDirectory()
            cluster.accept(tokens: tokens)
            try cluster.start()
            try write(token: "first")
        }

        func write(token: String) throws { try Data(token.utf8).write(to: URL(fileURLWithPath: directory.path + "/token")) }

        func router(_ settings: [String] = []) async throws -> RunningService {
            let kubeconfig = directory.path + "/kubeconfig"
            try Data(cluster.kubeconfig(user: "{tokenFile: \(directory.path)/token}").utf8).write(to: URL(fileURLWithPath: kubeconfig))
            let router = try await RunningService(
                TriggerRouter.program,
                settings: [
                    "--scheduler-url", peer.url, "--data-dir", directory.path + "/data", "--kubeconfig", kubeconfig,
                ] + settings, hasDataDirectory: false)
            var trigger = try JSON(
                encoding: makeTrigger("crash") {
                    $0.spec.sourceTemplate = SourceTemplate(
                        kubernetesEventTemplate: KubernetesEventTemplate(regexp: .init(reason: "^BackOff$")))
                })
            trigger["metadata"]?["uid"] = nil
            #expect([201, 409].contains(try await router.send(.post, "\(base)/triggers", trigger).status))
            return router
        }

        func isWatched() async throws -> Bool { try await eventually { self.cluster.openWatches(ClusterEventTests.watched) == 1 } }

        func pods(_ count: Int) async throws -> Bool { try await eventually(seconds: 30) { self.peer.stored.count == count } }

        func stop(_ router: RunningService) async {
            await router.stop()
            await cluster.stop()
            await peer.stop()
            directory.remove()
        }
    }

    /// An Event about a pod of its own, so that the trigger takes no two for the same.
    private static func event(_ name: String, count: Int64 = 1, time: Timestamp? = nil, namespace: String = "shop") -> JSON {
        var event: JSON = [
            "apiVersion": "v1", "kind": "Event", "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "involvedObject": ["kind": "Pod", "namespace": .string(namespace), "name": .string("pod-of-\(name)")], "reason": "BackOff",
            "message": "Back-off restarting failed container", "source": ["component": "kubelet", "host": "node-3"],
            "count": .integer(count),
        ]
        if let time { event["lastTimestamp"] = .string(time.description) }
        return event
    }

    private static func decisions(_ router: RunningService) async throws -> Int {
        try #require(try await router.send(.get, "/api/v1/decisions?source=kubernetes-events").body).decode(DecisionList.self).items.count
    }

    private static func has(_ router: RunningService, _ metric: String) async throws -> Bool {
        String(decoding: try await router.sendForBytes(.get, "/metrics").body, as: UTF8.self).contains("\n" + metric + "\n")
    }

    @Test func whatHappensFromNowOnBecomesDiagnosesOnceEach() async throws {
        let fixture = try Fixture()
        fixture.cluster.put(Self.event("before"))
        let router = try await fixture.router()
        #expect(try await fixture.isWatched())
        fixture.cluster.put(Self.event("a"))
        #expect(try await fixture.pods(1))
        #expect(fixture.peer.stored.first?.nodeName == "node-3")
        #expect(fixture.peer.stored.first?.podReference?.name == "pod-of-a")
        // The same count again is nothing new, and neither is that it expires.
        fixture.cluster.put(Self.event("a"))
        fixture.cluster.delete(Self.event("a"))
        fixture.cluster.bookmark()
        fixture.cluster.put(Self.event("b"))
        #expect(try await fixture.pods(2))
        #expect(try await eventually { try await Self.decisions(router) == 2 })
        fixture.cluster.put(Self.event("b", count: 2))
        #expect(try await eventually { try await Self.decisions(router) == 3 })
        #expect(fixture.peer.stored.count == 2)
        #expect(try await Self.has(router, "trigger_router_cluster_connected 1"))
        await fixture.stop(router)
    }

    @Test func oneThatStartsAgainGoesOnWhereItWas() async throws {
        let fixture = try Fixture()
        let first = try await fixture.router()
        #expect(try await fixture.isWatched())
        fixture.cluster.put(Self.event("a"))
        #expect(try await fixture.pods(1))
        #expect(try await eventually { try await Self.decisions(first) == 1 })
        await first.stop()
        fixture.cluster.put(Self.event("b"))
        let second = try await fixture.router()
        #expect(try await fixture.pods(2))
        #expect(try await eventually { try await Self.decisions(second) == 2 })
        #expect(try await Self.has(second, "trigger_router_cluster_relists_total 0"))
        await fixture.stop(second)
    }

    @Test func whereTheHistoryIsGoneItTakesWhatHappenedSince() async throws {
        let fixture = try Fixture()
        let old = WallClock.now().adding(seconds: -3600)
        fixture.cluster.put(Self.event("old", time: old))
        let router = try await fixture.router()
        #expect(try await fixture.isWatched())
        fixture.cluster.refuse(with: .init(status: 503, body: .bytes([])))
        fixture.cluster.breakOffWatches()
        #expect(try await eventually { fixture.cluster.openWatches(Self.watched) == 0 })
        fixture.cluster.put(Self.event("a", time: WallClock.now()))
        fixture.cluster.compact()
        fixture.cluster.refuse(with: nil)
        #expect(try await fixture.pods(1))
        #expect(fixture.peer.stored.first?.podReference?.name == "pod-of-a")
        #expect(try await fixture.isWatched())
        fixture.cluster.put(Self.event("b"))
        #expect(try await fixture.pods(2))
        #expect(try await Self.has(router, "trigger_router_cluster_relists_total 1"))
        await fixture.stop(router)
    }

    @Test func aTokenThatHasExpiredIsReadAgain() async throws {
        let fixture = try Fixture(tokens: ["first"])
        let router = try await fixture.router()
        #expect(try await fixture.isWatched())
        try fixture.write(token: "second")
        fixture.cluster.accept(tokens: ["second"])
        fixture.cluster.breakOffWatches()
        fixture.cluster.put(Self.event("a"))
        #expect(try await fixture.pods(1))
        await fixture.stop(router)
    }

    @Test func whileTheSchedulerIsFullNothingIsLost() async throws {
        let fixture = try Fixture()
        let router = try await fixture.router()
        #expect(try await fixture.isWatched())
        fixture.peer.mood = .full(retryAfterSeconds: 1)
        for number in 0..<40 { fixture.cluster.put(Self.event("e\(number)")) }
        #expect(try await eventually { try await Self.has(router, "trigger_router_cluster_events_waiting 1") })
        #expect(fixture.peer.stored.isEmpty)
        fixture.peer.mood = .fine
        #expect(try await fixture.pods(40))
        #expect(try await eventually { try await Self.has(router, "trigger_router_cluster_events_waiting 0") })
        await fixture.stop(router)
    }

    @Test func whatIsNoEventIsADeadLetterAndStopsNothing() async throws {
        let fixture = try Fixture()
        let router = try await fixture.router()
        #expect(try await fixture.isWatched())
        var poison = Self.event("poison")
        poison["involvedObject"] = nil
        fixture.cluster.put(poison)
        fixture.cluster.put(Self.event("a"))
        #expect(try await fixture.pods(1))
        #expect(try await eventually { try await router.send(.get, "/api/v1/deadletters?source=kubernetes-events").body?["total"] == 1 })
        await fixture.stop(router)
    }

    @Test func twoRoutersDoNothingTwiceAndOneNamespaceIsEnough() async throws {
        let fixture = try Fixture()
        let router = try await fixture.router(["--kubernetes-events", "shop"])
        let kubeconfig = fixture.directory.path + "/kubeconfig"
        let other = try await RunningService(
            TriggerRouter.program,
            settings: ["--scheduler-url", fixture.peer.url, "--triggers-from", router.url, "--kubeconfig", kubeconfig])
        #expect(try await eventually { fixture.cluster.requests.count { $0.isWatch } >= 2 })
        fixture.cluster.put(Self.event("elsewhere", namespace: "other"))
        fixture.cluster.put(Self.event("a"))
        // The replica watches all namespaces, the first router one.
        #expect(try await fixture.pods(2))
        #expect(try await eventually { try await Self.decisions(other) == 2 })
        #expect(try await eventually { try await Self.decisions(router) == 1 })
        #expect(fixture.peer.stored.count == 2)
        await other.stop()
        await fixture.stop(router)
    }

    @Test func aClusterThatIsAwayHoldsNothingElseUp() async throws {
        let fixture = try Fixture()
        await fixture.cluster.stop()
        let router = try await fixture.router()
        #expect(try await eventually { try await router.send(.get, "/readyz", token: nil).status == 200 })
        #expect(try await eventually { try await !Self.has(router, "trigger_router_cluster_errors_total 0") })
        try fixture.cluster.start()
        #expect(try await fixture.isWatched())
        fixture.cluster.put(Self.event("a"))
        #expect(try await fixture.pods(1))
        await fixture.stop(router)
    }

    @Test func offIsOff() async throws {
        let fixture = try Fixture()
        let router = try await fixture.router(["--kubernetes-events", "off"])
        #expect(try await eventually { try await router.send(.get, "/readyz", token: nil).status == 200 })
        #expect(fixture.cluster.requests.isEmpty)
        await fixture.stop(router)
    }
}
