import JSONCoding
import Model
import Synchronization
import TestSupport
import Testing

/// Decisions of the built router, over its death.
@Suite(.serialized) struct DecisionTests {
    private final class Acknowledged: Sendable {
        let ids = Mutex<Set<String>>([])
    }

    private func decisions(_ cluster: Cluster, _ query: String = "?limit=1000") async throws -> DecisionList {
        try JSON(parsing: try await cluster.send("router", .get, "/api/v1/decisions\(query)").body).decode(DecisionList.self)
    }

    /// While webhooks come in, kill -9: every one that was answered left its decisions.
    @Test func whatWasAcknowledgedHasItsDecisionAfterKill9() async throws {
        let cluster = try await Cluster(agents: [])
        try await cluster.createTrigger("disk", alert: "Disk", set: "disk")
        let acknowledged = Acknowledged()
        for round in 0..<3 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<4 {
                    group.addTask {
                        for number in 0..<200 {
                            let id = "\(round)-\(sender)-\(number)"
                            let alerts = [
                                TestAlert("Disk", instance: "web-01", ["id": id]), TestAlert("Other", instance: "web-01", ["id": id]),
                            ]
                            // An answer that does not come is no acknowledgement.
                            guard let answer = try? await cluster.post(alerts), answer.status == 200 else { return }
                            acknowledged.ids.withLock { _ = $0.insert(id) }
                        }
                    }
                }
                let enough = try await eventually { acknowledged.ids.withLock { $0.count { $0.hasPrefix("\(round)-") } } >= 40 }
                #expect(enough)
                try await cluster.kill("router")
                try await group.waitForAll()
            }
            try await cluster.start("router")
        }
        var kept: [String: Int] = [:]
        var query = "?limit=1000"
        while true {
            let list = try await decisions(cluster, query)
            for decision in list.items { kept[decision.labels["id"] ?? "", default: 0] += 1 }
            guard let next = list.continuation else { break }
            query = "?limit=1000&continue=\(next)"
        }
        let sent = acknowledged.ids.withLock { $0 }
        #expect(sent.count >= 120)
        #expect(sent.filter { (kept[$0] ?? 0) < 2 }.sorted() == [])
        try await cluster.stop()
    }

    @Test func whyAnswersAfterARestart() async throws {
        let cluster = try await Cluster(agents: [])
        try await cluster.createTrigger("disk", alert: "Disk", set: "disk")
        try await cluster.post([TestAlert("Other", instance: "web-01", ["mountpoint": "/var"])])
        let before = try await decisions(cluster)
        try await cluster.kill("router")
        try await cluster.start("router")
        let after = try await decisions(cluster, "?explain=true&label=mountpoint=/var")
        #expect(after.items.map(\.alertname) == ["Other"])
        #expect(after.items.first?.misses?.map(\.message) == ["alertName \"Other\" !~ ^Disk$"])
        #expect(after.lastWebhook == before.lastWebhook)
        #expect(after.keptSince == before.keptSince)
        // Every alert that came again is one more decision.
        try await cluster.post([TestAlert("Other", instance: "web-01", ["mountpoint": "/var"])])
        #expect(try await decisions(cluster).items.count == 2)
        try await cluster.stop()
    }
}
