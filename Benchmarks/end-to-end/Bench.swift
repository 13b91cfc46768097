import BenchmarkSupport
import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import Synchronization
import TestSupport

/// From the first byte of an alert's POST to the durable end of its diagnosis, over all four processes.
struct Bench {
    static let processes = ["router", "graph-builder", "scheduler", "web-01"]

    let cluster: Cluster
    let finished: FinishedFeed
    private let processor: HTTPProcessorServer

    init() async throws {
        cluster = try await Cluster(scheduler: ["--queued-diagnoses-max", "100000", "--max-finished-per-node", "1000000"])
        finished = try await FinishedFeed(cluster)
        try await cluster.create("OperationSet", "scripts", #"{"sequence":["script-1","script-2","script-3"]}"#)
        try await cluster.create("OperationSet", "https", #"{"sequence":["http-1","http-2","http-3"]}"#)
        try await cluster.create("OperationSet", "reads", #"{"sequence":["read-1","read-2","read-3"]}"#)
        processor = try HTTPProcessorServer()
        for number in 1...3 {
            try await cluster.createScript("script-\(number)", "#!/bin/true\n", effect: "Mutate")
            try await cluster.createScript("read-\(number)", "#!/bin/true\n")
            try await cluster.create(
                "Operation", "http-\(number)",
                #"{"effect":"Read","processor":{"httpServer":{"address":"127.0.0.1","port":\#(processor.port),"path":"/"}}}"#)
        }
        for set in ["scripts", "https", "reads"] {
            try await cluster.createTrigger(set, alert: "Bench-\(set)", set: set, #""rateLimit":{"perHour":1000000}"#)
        }
    }

    func alerts(_ set: String, _ count: Int, _ tag: String) -> [TestAlert] {
        (0..<count).map { TestAlert("Bench-\(set)", instance: "web-01:9100", ["tag": tag, "number": String($0)]) }
    }

    /// One alert after another.
    func latency(_ set: String, runs: Int) async throws {
        var samples: [Double] = []
        for (number, alert) in alerts(set, runs + 30, "latency-\(UUID().uuidString)").enumerated() {
            let start = ContinuousClock.now
            let before = finished.count
            guard try await cluster.post([alert]).status == 200 else { throw Cluster.Failure(description: "not taken") }
            await finished.wait(for: before + 1)
            if number >= 30 { samples.append(milliseconds(since: start)) }
        }
        let before = try ProcessFigures(cluster, Self.processes)
        for alert in alerts(set, 100, "cpu-\(UUID().uuidString)") {
            let count = finished.count
            try await cluster.post([alert])
            await finished.wait(for: count + 1)
        }
        let cpu = (try ProcessFigures(cluster, Self.processes).cpuSeconds - before.cpuSeconds) * 10
        let floor = try machineFloor(syncs: 6, spawns: set == "https" ? 0 : 3, rounds: 100, folder: cluster.directory.path)
        let all = Samples(samples)
        print("end-to-end: one alert, three \(set): \(all.text), \(rounded(cpu)) ms of CPU a run over all processes")
        print(
            "end-to-end:   reference, 6 fdatasyncs\(set == "https" ? "" : " + 3 spawns"): \(floor.text); ratio of p50 \(rounded(all.percentile(50) / floor.percentile(50)))"
        )
    }

    /// `count` alerts at once, one a webhook, over 16 connections.
    func burst(_ count: Int) async throws {
        let list = alerts("scripts", count, "burst-\(UUID().uuidString)")
        let before = try ProcessFigures(cluster, Self.processes)
        let target = finished.count + count
        let start = ContinuousClock.now
        try await send(list.map { [$0] }, connections: 16)
        await finished.wait(for: target)
        let seconds = milliseconds(since: start) / 1000
        let cpu = (try ProcessFigures(cluster, Self.processes).cpuSeconds - before.cpuSeconds) * 1000 / Double(count)
        print(
            "end-to-end: burst of \(count): \(rounded(Double(count) / seconds)) diagnoses a second, \(rounded(cpu)) ms of CPU a run, none lost"
        )
    }

    /// New alerts to durably stored diagnoses, dispatch paused; then the backlog's course.
    func ingest() async throws {
        try await cluster.send("scheduler", .post, "/api/v1/pause", [])
        let idle = try ProcessFigures(cluster, Self.processes).residentMiB
        let tens = alerts("reads", 10_000, "ingest-\(UUID().uuidString)")
        var start = ContinuousClock.now
        try await send(stride(from: 0, to: tens.count, by: 10).map { Array(tens[$0..<$0 + 10]) }, connections: 16)
        var seconds = milliseconds(since: start) / 1000
        print("ingest: 10,000 alerts in webhooks of 10 over 16 connections: \(rounded(10_000 / seconds)) alerts a second to durably stored")
        let stored = try ProcessFigures(cluster, Self.processes).residentMiB
        print(
            "memory: scheduler \(rounded(idle["scheduler"] ?? 0)) MiB before, \(rounded(stored["scheduler"] ?? 0)) MiB with 10,000 unfinished diagnoses"
        )
        let large = alerts("reads", 10_000, "large-\(UUID().uuidString)")
        start = ContinuousClock.now
        try await send([large], connections: 1)
        seconds = milliseconds(since: start) / 1000
        print("ingest: one POST of 10,000 alerts: \(rounded(seconds)) s, \(rounded(10_000 / seconds)) alerts a second")
        start = ContinuousClock.now
        try await send([large], connections: 1)
        print("ingest: the same POST again: \(rounded(milliseconds(since: start))) ms")
        let target = finished.count + 20_000
        start = ContinuousClock.now
        try await cluster.send("scheduler", .post, "/api/v1/resume", [])
        for quarter in 1...4 {
            await finished.wait(for: target - 20_000 + quarter * 5000)
            print(
                "backlog: \(quarter * 5000) of 20,000 diagnoses of three scripts done after \(rounded(milliseconds(since: start) / 1000)) s"
            )
        }
        let end = try ProcessFigures(cluster, Self.processes).residentMiB
        print("memory: after 20,000 finished: " + Self.processes.map { "\($0) \(rounded(end[$0] ?? 0)) MiB" }.joined(separator: ", "))
    }

    func idle() throws {
        let resident = try ProcessFigures(cluster, Self.processes).residentMiB
        print("memory: idle: " + Self.processes.map { "\($0) \(rounded(resident[$0] ?? 0)) MiB" }.joined(separator: ", "))
    }

    /// Posts webhooks over some connections; every one must be answered 200.
    private func send(_ webhooks: [[TestAlert]], connections: Int) async throws {
        let queue = Countdown(webhooks.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<connections {
                group.addTask { [cluster] in
                    while let index = queue.next() {
                        let status = try await cluster.post(webhooks[index]).status
                        guard status == 200 else { throw Cluster.Failure(description: "answered \(status)") }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Counts diagnoses that have ended, from a watch: an event comes after its commit.
final class FinishedFeed: Sendable {
    private struct State {
        var ended: Set<String> = []
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    init(_ cluster: Cluster) async throws {
        var request = ClientRequest(
            method: .get,
            url: cluster.url("scheduler") + "/apis/\(API.groupVersion)/diagnoses?watch=1&fieldSelector=status.phase%3DSucceeded",
            timeoutSeconds: 3600)
        request.headers.set("Authorization", "Bearer \(Cluster.admin)")
        let stream = try await cluster.http.stream(request)
        Task {
            for try await line in stream.lines {
                guard let event = try? JSON(parsing: line), let uid = event["object"]?["metadata"]?["uid"]?.stringValue else { continue }
                take(uid)
            }
        }
    }

    var count: Int { state.withLock { $0.ended.count } }

    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.ended.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func take(_ uid: String) {
        let ready = state.withLock { state in
            state.ended.insert(uid)
            let count = state.ended.count
            let ready = state.waiters.filter { $0.count <= count }
            state.waiters.removeAll { $0.count <= count }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }
}
