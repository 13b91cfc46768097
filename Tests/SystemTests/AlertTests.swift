import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// What becomes of alerts: from the webhook to stored diagnoses.
@Suite(.serialized) struct AlertTests {
    /// A cluster in which alert `Disk` runs one read-only step.
    private func cluster(trigger: String = "", agents: [String] = ["web-01"], scheduler: [String] = []) async throws -> Cluster {
        let cluster = try await Cluster(agents: agents, scheduler: scheduler)
        try await cluster.createScript("look", "echo looked at $1", argKeys: ["mountpoint"])
        try await cluster.create("OperationSet", "disk", #"{"sequence":["look"]}"#)
        try await cluster.createTrigger("disk", alert: "Disk", set: "disk", trigger)
        return cluster
    }

    private func outcome(_ answer: JSON) -> String? { answer["alerts"]?.arrayValue?.first?["outcome"]?.stringValue }

    @Test func tenTimesAndThroughTwoRoutersAtOnceMakesOneDiagnosis() async throws {
        let cluster = try await cluster()
        // The second router is a replica: it takes the triggers from the first and keeps no store.
        try await cluster.startRouter("replica", ["--triggers-from", cluster.url("router")])
        let alert = TestAlert("Disk", instance: "web-01:9100", ["mountpoint": "/var"])
        let outcomes = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<10 {
                group.addTask { outcome(try await cluster.post([alert], to: number.isMultiple(of: 2) ? "router" : "replica").answer) }
            }
            return try await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == "created" } == 1, "\(outcomes)")
        #expect(outcomes.count { $0 == "duplicate" } == 9, "\(outcomes)")
        let all = try await cluster.diagnoses()
        #expect(all.count == 1)
        let done = try await cluster.wait(all[0].name)
        #expect(done.phase == "Succeeded")
        #expect(done.result("operation.look.output") == .string("looked at /var\n"))
        try await cluster.stop()
    }

    @Test func firesAgainBeforeAndAfterTheLeastPause() async throws {
        let cluster = try await cluster(trigger: #""refireMinSeconds":2"#)
        func post(_ startsAt: String, resolved: Bool = false) async throws -> String? {
            outcome(try await cluster.post([TestAlert("Disk", instance: "web-01", startsAt: startsAt, isResolved: resolved)]).answer)
        }
        let begin = ContinuousClock.now
        #expect(try await post("2026-01-02T03:00:00Z") == "created")
        #expect(try await post("2026-01-02T03:00:00Z", resolved: true) == "resolved")
        let flapping = try await post("2026-01-02T03:01:00Z")
        if ContinuousClock.now - begin < .seconds(1) { #expect(flapping == "suppressed") }
        #expect(try await eventually { try await post("2026-01-02T03:02:00Z") == "created" })
        #expect(ContinuousClock.now - begin >= .seconds(2))
        #expect(try await cluster.diagnoses().count == 2)
        try await cluster.stop()
    }

    @Test func isADuplicateAfterItsDiagnosisWasDeletedAndOverRestarts() async throws {
        let cluster = try await cluster()
        let alert = TestAlert("Disk", instance: "web-01")
        try await cluster.post([alert])
        let name = try #require(try await cluster.diagnoses().first).name
        _ = try await cluster.wait(name)
        let path = "/apis/\(API.groupVersion)/namespaces/kubediag/diagnoses/\(name)"
        #expect(try await cluster.send("scheduler", .delete, path).status == 200)
        #expect(try await eventually { try await cluster.diagnosis(name) == .null })
        for name in ["scheduler", "router"] {
            try await cluster.kill(name)
            try await cluster.start(name)
        }
        #expect(outcome(try await cluster.post([alert]).answer) == "duplicate")
        #expect(try await cluster.diagnoses().isEmpty)
        try await cluster.stop()
    }

    @Test func operationSetAndAlertInTheSameInstant() async throws {
        let cluster = try await Cluster()
        try await cluster.createScript("look", "true")
        try await cluster.createTrigger("late", alert: "Late", set: "late")
        // The alert comes first: the diagnosis waits for its operation set, within the grace.
        #expect(try await cluster.post([TestAlert("Late", instance: "web-01")]).status == 200)
        try await cluster.create("OperationSet", "late", #"{"sequence":["look"]}"#)
        let name = try #require(try await cluster.diagnoses().first).name
        #expect(try await cluster.wait(name).phase == "Succeeded")
        try await cluster.stop()
    }

    @Test func whatCanNeverRunEndsWithItsReason() async throws {
        let cluster = try await cluster(scheduler: ["--resolve-grace", "1s"])
        try await cluster.createTrigger("nowhere", alert: "Nowhere", set: "no-such-set")
        try await cluster.post([TestAlert("Disk", instance: "web-99:9100")])
        try await cluster.post([TestAlert("Nowhere", instance: "web-01")])
        for diagnosis in try await cluster.diagnoses() {
            let done = try await cluster.wait(diagnosis.name)
            let isElsewhere = diagnosis["spec"]?["operationSet"] == .string("disk")
            #expect(done.reason == (isElsewhere ? "NodeNotFound" : "OperationSetNotFound"), "\(done["status"] ?? .null)")
        }
        let noTarget = TestAlert("Disk", instance: "")
        var answer = try await cluster.post([noTarget]).answer
        #expect(outcome(answer) == "noTarget")
        answer = try await cluster.post([TestAlert("Other", instance: "web-01")]).answer
        #expect(outcome(answer) == "noMatch")
        try await cluster.stop()
    }

    @Test func schedulerAwayMeansSendAgain() async throws {
        let cluster = try await cluster()
        try await cluster.kill("scheduler")
        let alert = TestAlert("Disk", instance: "web-01")
        #expect(try await cluster.post([alert]).status == 503)
        // What matches nothing is not the scheduler's concern.
        #expect(try await cluster.post([TestAlert("Other", instance: "web-01")]).status == 200)
        try await cluster.start("scheduler")
        #expect(try await eventually { try await cluster.post([alert]).status == 200 })
        let all = try await cluster.diagnoses()
        #expect(all.count == 1)
        #expect(try await cluster.wait(all[0].name).phase == "Succeeded")
        try await cluster.stop()
    }

    @Test func prometheusPostsABareArray() async throws {
        let cluster = try await cluster()
        let body = JSON.array([
            .object([
                "labels": .object(["alertname": .string("Disk"), "instance": .string("web-01:9100"), "mountpoint": .string("/srv")]),
                "annotations": .object([:]), "startsAt": .string("2026-01-02T03:04:05.632Z"), "endsAt": .string("2096-01-02T03:08:05.632Z"),
                "generatorURL": .string("http://prometheus.example/graph"),
            ])
        ])
        #expect(try await cluster.send("router", .post, "/api/v2/alerts", body.encoded(), token: Cluster.receiver).status == 200)
        let all = try await cluster.diagnoses()
        #expect(all.count == 1)
        #expect(try await cluster.wait(all[0].name).phase == "Succeeded")
        try await cluster.stop()
    }

    @Test func bodiesThatAreNoWebhookAreRefusedAndChangeNothing() async throws {
        let cluster = try await cluster()
        let good = String(
            decoding: JSON.object(["version": .string("4"), "alerts": .array([TestAlert("Disk", instance: "web-01").json])]).encoded(),
            as: UTF8.self)
        let bodies: [(String, Int)] = [
            ("", 400), ("{", 400), (String(good.dropLast(5)), 400), ("null", 400), ("[]x", 400), ("not json", 400), (#"{"alerts":7}"#, 400),
            (String(repeating: "[", count: 100_000), 400),
            (#"{"version":"4","alerts":[{"labels":{"alertname":"Disk","alertname":"Disk"}}]}"#, 400),
        ]
        for (body, status) in bodies {
            let response = try await cluster.send(
                "router", .post, "/api/v1/receivers/alertmanager", Array(body.utf8), token: Cluster.receiver)
            #expect(response.status == status, "\(body.prefix(60)): \(response.status)")
            #expect(try JSON(parsing: response.body)["kind"] == .string("Status"))
        }
        let large = [UInt8](repeating: UInt8(ascii: " "), count: (32 << 20) + 1)
        let refused = try? await cluster.send("router", .post, "/api/v1/receivers/alertmanager", large, token: Cluster.receiver)
        #expect(refused.map { $0.status == 413 } ?? true, "refused with 413, or the connection was closed on us while we still sent")
        for (token, status) in [("wrong", 401), (Cluster.agentToken("web-01"), 403)] {
            #expect(
                try await cluster.send("router", .post, "/api/v1/receivers/alertmanager", Array(good.utf8), token: token).status == status)
        }
        #expect(
            try await cluster.send(
                "router", .post, "/api/v1/receivers/alertmanager", Array(good.utf8), token: Cluster.receiver, type: "text/plain"
            ).status
                == 415)
        #expect(try await cluster.diagnoses().isEmpty)
        #expect(
            try await cluster.send("router", .post, "/api/v1/receivers/alertmanager", Array(good.utf8), token: Cluster.receiver).status
                == 200)
        try await cluster.stop()
    }

    @Test func namesThatAreNoNamesAreRefused() async throws {
        let cluster = try await Cluster()
        for name in ["../etc", "a\nb", "UPPER", String(repeating: "a", count: 300), ""] {
            let body = JSON.object([
                "apiVersion": .string(API.groupVersion), "kind": .string("Diagnosis"), "metadata": .object(["name": .string(name)]),
                "spec": .object(["operationSet": .string("x"), "nodeName": .string("web-01")]),
            ])
            let response = try await cluster.send(
                "scheduler", .post, "/apis/\(API.groupVersion)/namespaces/kubediag/diagnoses", body.encoded())
            #expect(response.status == 422 || response.status == 400, "\(name.prefix(20)): \(response.status)")
        }
        let traversal = try await cluster.send("scheduler", .get, "/api/v1/evidence/..%2F..%2Fetc/passwd")
        #expect((400...404).contains(traversal.status))
        try await cluster.stop()
    }
}
