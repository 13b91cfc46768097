import JSONCoding
import KafkaTestCluster
import Model
import TestSupport

/// Messages of a topic to durably stored diagnoses, beside librdkafka's own consumer that only counts them.
struct KafkaBench {
    static let messages = 20_000
    static let partitions = 8
    static let topic = "requests"

    let cluster: Cluster
    let broker: MockBroker

    init() async throws {
        broker = try MockBroker()
        try broker.createTopic(Self.topic, partitions: Self.partitions)
        for number in 0..<Self.messages {
            try broker.produce(
                Self.topic, Int32(number % Self.partitions), #"{"operationset":"dump","node":"web-01","pid":\#(number),"reason":"bench"}"#)
        }
        try broker.flush(seconds: 60)
        cluster = try await Cluster(
            agents: [],
            scheduler: [
                "--queued-diagnoses-max", "100000", "--diagnoses-per-minute-max", "1000000", "--max-finished-per-node", "1000000",
            ])
        // What is measured is the way into the store; nothing is to run beside it.
        try await cluster.send("scheduler", .post, "/api/v1/pause", [])
    }

    func run() async throws {
        let reference = try broker.secondsToCount(Self.topic, Self.messages, group: "count")
        let referenceRate = Double(Self.messages - 1) / reference
        print(
            "kafka: librdkafka's consumer, counting \(Self.messages) messages of \(Self.partitions) partitions: \(Int(referenceRate)) a second"
        )
        try await cluster.startRouter(
            "consumer", ["--triggers-from", cluster.url("router"), "--kafka-brokers", broker.bootstrap, "--kafka-topics", Self.topic])
        // From the first sight of any, without counting those, to the last: joining the group is not in it, as it is not in the reference.
        var first = 0
        while first == 0 { first = try await stored() }
        let start = ContinuousClock.now
        var count = first
        while count < Self.messages {
            try await Task.sleep(for: .milliseconds(5))  // leaves the processes their time
            count = try await stored()
        }
        let seconds = ContinuousClock.now - start
        let rate = Double(count - first) / (Double(seconds.components.seconds) + Double(seconds.components.attoseconds) / 1e18)
        print(
            "kafka: to durably stored diagnoses: \(Int(rate)) messages a second; the counting consumer does \(Int((referenceRate / rate).rounded())) times that"
        )
        while try committed() < Self.messages { try await Task.sleep(for: .milliseconds(50)) }
        print("kafka: \(try await stored()) diagnoses of \(Self.messages) messages, all offsets committed")
    }

    func close() async throws {
        try await cluster.stop()
        broker.close()
    }

    private func stored() async throws -> Int {
        let response = try await cluster.send("scheduler", .get, "/apis/\(API.groupVersion)/diagnoses?limit=1")
        let list = try JSON(parsing: response.body)
        return (list["items"]?.arrayValue?.count ?? 0) + Int(list["metadata"]?["remainingItemCount"]?.integerValue ?? 0)
    }

    private func committed() throws -> Int64 {
        try broker.committed("kubediag", Self.topic, partitions: Self.partitions).reduce(0) { $0 + max($1, 0) }
    }
}
