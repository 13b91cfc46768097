import BenchmarkSupport
import Glibc
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import TestSupport

/// Webhooks of 500 alerts over 4 connections, beside the least that keeping a record of each costs: its bytes in a file, one fdatasync a webhook.
struct StormBench {
    static let triggers = 1000
    static let firing = 50
    static let alerts = 100_000
    static let alertsPerWebhook = 500
    static let connections = 4

    let cluster: Cluster

    init() async throws {
        cluster = try await Cluster(
            agents: [], scheduler: ["--queued-diagnoses-max", "100000", "--diagnoses-per-minute-max", "1000000"])
        try await cluster.send("scheduler", .post, "/api/v1/pause", [])
        for number in 0..<Self.triggers {
            try await cluster.createTrigger(
                "storm-\(number)", alert: "Storm\(number)", set: "storm", #""rateLimit":{"perHour":1}"#)
        }
    }

    func run(_ what: String, alerts name: String) async throws {
        let bodies = stride(from: 0, to: Self.alerts, by: Self.alertsPerWebhook).map { Self.webhook(name, $0) }
        let before = try await state()
        var resident: [Double] = []
        let start = ContinuousClock.now
        for half in [bodies.prefix(bodies.count / 2), bodies.suffix(bodies.count / 2)] {
            try await send(Array(half))
            resident.append(try router().residentMiB)
        }
        let seconds = milliseconds(since: start) / 1000
        let after = try await state()
        let reference = try referenceSeconds(bodies)
        let rate = Double(Self.alerts) / seconds
        print("storm: \(Self.alerts) alerts, \(what): \(Int(rate)) a second, \(after.diagnoses - before.diagnoses) diagnoses")
        print(
            "storm:   reference, their bytes with one fdatasync a webhook: \(Int(Double(Self.alerts) / reference)) a second; ratio \(rounded(seconds / reference))"
        )
        print(
            "storm:   router \(rounded(try router().peakMiB)) MiB at most, \(rounded(resident[0])) half way, \(rounded(resident[1])) at the end; \(after.lost) decisions lost, \(after.kept) kept"
        )
    }

    private static func webhook(_ name: String, _ first: Int) -> [UInt8] {
        let alerts = (first..<first + alertsPerWebhook).map { number in
            JSON.object([
                "status": "firing",
                "labels": .object([
                    "alertname": .string("\(name)\(number % firing)"), "instance": .string("web-\(number):9100"), "severity": "critical",
                    "job": "node", "mountpoint": "/var",
                ]),
                "annotations": ["summary": "the file system is almost full"], "startsAt": "2026-11-22T19:01:58.659Z",
                "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example:9090/graph",
            ])
        }
        return JSON.object(["version": "4", "alerts": .array(alerts)]).encoded()
    }

    func send(_ bodies: [[UInt8]], to path: String = "/api/v1/receivers/alertmanager") async throws {
        let queue = Countdown(bodies.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.connections {
                group.addTask {
                    while let index = queue.next() {
                        let status = try await cluster.send("router", .post, path, bodies[index], token: Cluster.receiver).status
                        guard status == 200 else { throw Cluster.Failure(description: "answered \(status)") }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    func state() async throws -> (diagnoses: Int, kept: Int, lost: Int) {
        let metrics = String(decoding: try await cluster.send("router", .get, "/metrics").body, as: UTF8.self)
        func value(_ name: String) -> Int {
            let line = metrics.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            return line.flatMap { Double($0.dropFirst(name.count + 1)) }.map { Int($0) } ?? 0
        }
        return (
            try await cluster.diagnoses().count, value("trigger_router_decisions"), value("trigger_router_decisions_lost_total")
        )
    }

    func router() throws -> (residentMiB: Double, peakMiB: Double) {
        let figures = try ProcessFigures(cluster, ["router"])
        return (figures.residentMiB["router"] ?? 0, figures.peakMiB["router"] ?? 0)
    }

    private func referenceSeconds(_ bodies: [[UInt8]]) throws -> Double {
        let descriptor = open(cluster.path("reference"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let start = ContinuousClock.now
        for body in bodies {
            guard write(descriptor, body, body.count) == body.count, fdatasync(descriptor) == 0 else {
                throw Cluster.Failure(description: "fdatasync failed: errno \(errno)")
            }
        }
        return milliseconds(since: start) / 1000
    }
}
