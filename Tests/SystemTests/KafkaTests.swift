import Foundation
import JSONCoding
import KafkaTestCluster
import Model
import TestSupport
import Testing

/// Messages through real trigger-routers to a real scheduler, with librdkafka's mock cluster as the broker.
@Suite(.serialized) struct KafkaTests {
    static let partitions = 6
    /// As many as there are, and none of them removed.
    private static let scheduler = [
        "--queued-diagnoses-max", "100000", "--max-finished-per-node", "1000000", "--diagnoses-per-minute-max", "1000000",
    ]

    private static func arguments(_ broker: MockBroker) -> [String] {
        [
            "--kafka-brokers", broker.bootstrap, "--kafka-topics", "requests", "--kafka-config", "session.timeout.ms=6000",
            "--kafka-config", "heartbeat.interval.ms=1000",
        ]
    }

    private static func produce(_ numbers: Range<Int>, to broker: MockBroker) throws {
        for number in numbers {
            // What is read twice by mistake would be told by its number.
            try broker.produce(
                "requests", Int32(number % partitions), #"{"operationset":"look","node":"nowhere","number":"\#(number)"}"#)
        }
        try broker.flush()
    }

    private static func committed(_ broker: MockBroker) throws -> Int64 {
        try broker.committed("kubediag", "requests", partitions: partitions).reduce(0) { $0 + max($1, 0) }
    }

    private static func expectEachOnce(_ cluster: Cluster, _ count: Int) async throws {
        let all = try await cluster.diagnoses()
        let places = all.compactMap { $0["metadata"]?["annotations"]?[WellKnown.sourceAnnotation]?.stringValue }
        let numbers = Set(all.compactMap { $0["spec"]?["parameters"]?["number"]?.stringValue })
        #expect(all.count == count)
        #expect(Set(places).count == count)
        #expect(numbers.count == count)
    }

    @Test(.timeLimit(.minutes(5))) func twoRoutersOfOneGroupOfWhichOneIsKilledLoseNothingAndDoNothingTwice() async throws {
        let broker = try MockBroker(brokers: 3)
        defer { broker.close() }
        try broker.createTopic("requests", partitions: Self.partitions)
        let cluster = try await Cluster(agents: [], scheduler: Self.scheduler)
        try await cluster.startRouter("first", ["--triggers-from", cluster.url("router")] + Self.arguments(broker))
        try await cluster.startRouter("second", ["--triggers-from", cluster.url("router")] + Self.arguments(broker))
        let owned = { (name: String, line: String) async throws -> Bool in
            let page = try await cluster.send(name, .get, "/metrics").body
            return String(decoding: page, as: UTF8.self).contains("trigger_router_kafka_partitions \(line)\n")
        }
        #expect(
            try await eventually(seconds: 60) {
                let isFirst = try await owned("first", "3")
                let isSecond = try await owned("second", "3")
                return isFirst && isSecond
            })
        try Self.produce(0..<1500, to: broker)
        // In mid-stream: some are stored, not all.
        #expect(try await eventually { try await cluster.stored() > 0 })
        try await cluster.kill("second")
        try Self.produce(1500..<3000, to: broker)
        try await cluster.kill("scheduler")
        try Self.produce(3000..<3500, to: broker)
        try await cluster.start("scheduler")
        #expect(try await eventually(seconds: 90) { try Self.committed(broker) == 3500 })
        try await Self.expectEachOnce(cluster, 3500)

        // It comes back and takes its share of what follows.
        try await cluster.start("second")
        #expect(try await eventually(seconds: 60) { try await owned("second", "3") })
        try Self.produce(3500..<3600, to: broker)
        #expect(try await eventually(seconds: 60) { try Self.committed(broker) == 3600 })
        try await Self.expectEachOnce(cluster, 3600)
        try await cluster.stop()
    }

    @Test(.timeLimit(.minutes(5))) func killsAtRandomMomentsLoseNothingAndDoNothingTwice() async throws {
        let seed = UInt64(ProcessInfo.processInfo.environment["KUBEDIAG_TEST_SEED"] ?? "") ?? UInt64.random(in: 0...9_999)
        var random = SeededGenerator(seed: seed)
        let broker = try MockBroker(brokers: 3)
        defer { broker.close() }
        try broker.createTopic("requests", partitions: Self.partitions)
        let cluster = try await Cluster(agents: [], scheduler: Self.scheduler)
        try await cluster.startRouter("consumer", ["--triggers-from", cluster.url("router")] + Self.arguments(broker))
        for round in 0..<8 {
            try Self.produce(round * 250..<(round + 1) * 250, to: broker)
            try await Task.sleep(for: .milliseconds(Int.random(in: 10...1500, using: &random)))  // the random moment
            let victim = round.isMultiple(of: 2) ? "consumer" : "scheduler"
            try await cluster.kill(victim)
            try await cluster.start(victim)
        }
        #expect(
            try await eventually(seconds: 120) { try Self.committed(broker) == 2000 },
            "seed \(seed)")
        try await Self.expectEachOnce(cluster, 2000)
        try await cluster.stop()
    }

    @Test(.timeLimit(.minutes(2))) func aRouterThatIsAskedToEndCommitsWhatIsDone() async throws {
        let broker = try MockBroker()
        defer { broker.close() }
        try broker.createTopic("requests", partitions: Self.partitions)
        let cluster = try await Cluster(agents: [], scheduler: Self.scheduler)
        try await cluster.startRouter("consumer", ["--triggers-from", cluster.url("router")] + Self.arguments(broker))
        try Self.produce(0..<600, to: broker)
        #expect(try await eventually(seconds: 40) { try await cluster.stored() > 0 })
        let pid = try #require(cluster.processID("consumer"))
        cluster.signal("consumer", SIGTERM)
        #expect(try await eventually { ProcessTable.hasEnded(pid) })
        #expect(try Self.committed(broker) <= Int64(try await cluster.stored()))
        try await cluster.start("consumer")
        #expect(try await eventually(seconds: 60) { try Self.committed(broker) == 600 })
        try await Self.expectEachOnce(cluster, 600)
        try await cluster.stop()
    }
}

extension Cluster {
    /// How many diagnoses the scheduler holds.
    fileprivate func stored() async throws -> Int {
        let response = try await send("scheduler", .get, "/apis/\(API.groupVersion)/diagnoses?limit=1")
        guard response.status == 200 else { return 0 }
        let list = try JSON(parsing: response.body)
        let count = list["items"]?.arrayValue?.count ?? 0
        return count + Int(list["metadata"]?["remainingItemCount"]?.integerValue ?? 0)
    }
}
