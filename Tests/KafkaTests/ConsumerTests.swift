import KafkaClient
import KafkaTestCluster
import TestSupport
import Testing

/// The consumer against librdkafka's mock cluster.
@Suite struct ConsumerTests {
    static let fast = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "500"), ("statistics.interval.ms", "200")]

    @Test(.timeLimit(.minutes(1))) func messagesOfAllPartitionsComeWithAllThatTheyHave() async throws {
        let broker = try MockBroker()
        defer { broker.close() }
        try broker.createTopic("letters", partitions: 4)
        for number in 0..<40 { try broker.produce("letters", Int32(number % 4), "\(number)", headers: [("ce_id", "\(number)")]) }
        try broker.produce("letters", 0, nil)
        try broker.flush()

        let consumer = try Self.consumer(broker, "readers")
        let messages = try await Self.messages(of: consumer, count: 41)
        #expect(Set(messages.compactMap { $0.value.map { String(decoding: $0, as: UTF8.self) } }) == Set((0..<40).map(String.init)))
        #expect(messages.count { $0.value == nil } == 1)
        #expect(messages.allSatisfy { $0.timestampMillis != nil && $0.assignment > 0 })
        for message in messages where message.value != nil {
            #expect(message.headers == [KafkaMessage.Header(name: "ce_id", value: message.value)])
        }
        #expect(Set(messages.map(\.partition.number)) == [0, 1, 2, 3])
        await consumer.close()
    }

    @Test(.timeLimit(.minutes(1))) func onlyWhatIsDoneIsCommittedAndTheRestComesAgain() async throws {
        let broker = try MockBroker()
        defer { broker.close() }
        try broker.createTopic("letters", partitions: 2)
        for number in 0..<10 { try broker.produce("letters", Int32(number % 2), "\(number)") }
        try broker.flush()

        let first = try Self.consumer(broker, "readers")
        let read = try await Self.messages(of: first, count: 10)
        let assignment = try #require(read.first { $0.partition.number == 0 }).assignment
        first.finish(KafkaPartition(topic: "letters", number: 0), before: 3, assignment: assignment)
        // Another assignment's word counts for nothing.
        first.finish(KafkaPartition(topic: "letters", number: 1), before: 5, assignment: assignment + 1000)
        await first.close()
        #expect(try broker.committed("readers", "letters", partitions: 2) == [3, -1001])

        let second = try Self.consumer(broker, "readers")
        let again = try await Self.messages(of: second, count: 7)
        #expect(again.filter { $0.partition.number == 0 }.map(\.offset) == [3, 4])
        #expect(again.filter { $0.partition.number == 1 }.map(\.offset) == [0, 1, 2, 3, 4])
        await second.close()
    }

    @Test(.timeLimit(.minutes(1))) func aPausedConsumerStaysInItsGroupAndGoesOnWhereItWas() async throws {
        let broker = try MockBroker()
        defer { broker.close() }
        try broker.createTopic("letters", partitions: 1)
        for number in 0..<5 { try broker.produce("letters", 0, "\(number)") }
        try broker.flush()
        let consumer = try Self.consumer(broker, "readers")
        let read = try await Self.messages(of: consumer, count: 5)
        #expect(read.map(\.offset) == [0, 1, 2, 3, 4])
        consumer.finish(read[0].partition, before: 5, assignment: read[0].assignment)
        consumer.commit()
        await consumer.pause()
        for number in 5..<8 { try broker.produce("letters", 0, "\(number)") }
        try broker.flush()

        // Its lag grows while nothing is read.
        var lag: Int64?
        let partition = KafkaPartition(topic: "letters", number: 0)
        var heard = 0
        _ = try await eventually {
            for event in await consumer.events(messagesMax: 100, bytesMax: 1 << 20, waitingSeconds: 0.1) {
                if case .lag(let lags) = event { lag = lags[partition] }
                if case .message = event { heard += 1 }
            }
            return lag == 3
        }
        #expect(lag == 3)
        #expect(heard == 0)
        await consumer.resume()
        #expect(try await Self.messages(of: consumer, count: 3).map(\.offset) == [5, 6, 7])
        await consumer.close()
    }

    @Test(.timeLimit(.minutes(2)), arguments: ["range", "cooperative-sticky"])
    func partitionsMoveToASecondMemberAndBack(strategy: String) async throws {
        let broker = try MockBroker()
        defer { broker.close() }
        try broker.createTopic("letters", partitions: 4)
        let properties = [("partition.assignment.strategy", strategy)]
        let first = try Self.consumer(broker, "readers", properties)
        var owned: [String: Set<KafkaPartition>] = ["first": [], "second": []]
        func look(_ consumer: KafkaConsumer, _ name: String) async {
            for event in await consumer.events(messagesMax: 100, bytesMax: 1 << 20, waitingSeconds: 0.05) {
                switch event {
                case .assigned(let partitions): owned[name, default: []].formUnion(partitions)
                case .revoked(let partitions): owned[name, default: []].subtract(partitions)
                default: break
                }
            }
        }
        #expect(
            try await eventually {
                await look(first, "first")
                return owned["first"]?.count == 4
            })
        let second = try Self.consumer(broker, "readers", properties)
        #expect(
            try await eventually(seconds: 40) {
                await look(first, "first")
                await look(second, "second")
                return owned["first"]?.count == 2 && owned["second"]?.count == 2
            })
        #expect(owned["first"]?.isDisjoint(with: owned["second"] ?? []) == true)
        await second.close()
        #expect(
            try await eventually(seconds: 40) {
                await look(first, "first")
                return owned["first"]?.count == 4
            })
        await first.close()
    }

    @Test(.timeLimit(.minutes(2))) func whatIsUnderWayWhenItsPartitionMovesIsNotCommitted() async throws {
        let broker = try MockBroker()
        defer { broker.close() }
        try broker.createTopic("letters", partitions: 2)
        for number in 0..<20 { try broker.produce("letters", Int32(number % 2), "\(number)") }
        try broker.flush()
        let first = try Self.consumer(broker, "readers")
        let read = try await Self.messages(of: first, count: 20)
        // Four of each partition are done; the others are under way.
        for number in [Int32(0), 1] {
            let message = try #require(read.first { $0.partition.number == number })
            first.finish(message.partition, before: 4, assignment: message.assignment)
        }
        // The mock cluster, unlike a broker, takes no offsets while a group rebalances.
        first.commit()
        #expect(try await eventually { try broker.committed("readers", "letters", partitions: 2) == [4, 4] })
        let second = try Self.consumer(broker, "readers")
        var moved: Set<KafkaPartition> = []
        var again: [KafkaMessage] = []
        #expect(
            try await eventually(seconds: 40) {
                for event in await first.events(messagesMax: 100, bytesMax: 1 << 20, waitingSeconds: 0.05) {
                    if case .revoked(let partitions) = event { moved.formUnion(partitions) }
                }
                for event in await second.events(messagesMax: 100, bytesMax: 1 << 20, waitingSeconds: 0.05) {
                    if case .message(let message) = event { again.append(message) }
                }
                return again.count >= 6
            })
        #expect(moved.count == 2)
        #expect(again.map(\.offset) == [4, 5, 6, 7, 8, 9])
        // The first one's work under the former assignment is no longer its to speak of, even of the partition that it has again.
        for message in read { first.finish(message.partition, before: 10, assignment: message.assignment) }
        #expect(read.allSatisfy { !first.holds($0) })
        first.commit()
        await first.close()
        #expect(try broker.committed("readers", "letters", partitions: 2) == [4, 4])
        await second.close()
    }

    @Test func propertiesAreJudgedWithoutTellingSecrets() throws {
        let properties = ConsumerProperties(
            brokers: ["127.0.0.1:1"], group: "readers",
            others: [
                ("sasl.password", "hunter2"), ("no.such.thing", "1"), ("session.timeout.ms", "soon"), ("enable.auto.commit", "true"),
                ("group.id", "others"), ("security.protocol", "hunter2"),
            ])
        let faults = properties.faults
        #expect(faults.map(\.property) == ["no.such.thing", "session.timeout.ms", "enable.auto.commit", "group.id", "security.protocol"])
        #expect(faults[0].message == "is no property of librdkafka")
        #expect(faults[2].message == "can't be set here")
        #expect(throws: KafkaPropertyFault.self) { try KafkaConsumer(properties, topics: ["letters"]) }
    }

    static func consumer(_ broker: MockBroker, _ group: String, _ more: [(String, String)] = []) throws -> KafkaConsumer {
        try KafkaConsumer(ConsumerProperties(brokers: [broker.bootstrap], group: group, others: fast + more), topics: ["letters"])
    }

    /// The next messages, until there are `count`.
    static func messages(of consumer: KafkaConsumer, count: Int) async throws -> [KafkaMessage] {
        var messages: [KafkaMessage] = []
        let came = try await eventually(seconds: 30) {
            for event in await consumer.events(messagesMax: 100, bytesMax: 1 << 20, waitingSeconds: 0.1) {
                if case .message(let message) = event { messages.append(message) }
            }
            return messages.count >= count
        }
        #expect(came, "\(messages.count) of \(count) messages came")
        return messages
    }
}
