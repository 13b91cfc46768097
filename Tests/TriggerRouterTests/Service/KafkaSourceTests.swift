import Foundation
import HTTPMessage
import JSONCoding
import KafkaTestCluster
import Logging
import Model
import ServiceKit
import TestSupport
import Testing
import TriggerRouterService

/// A trigger-router that takes messages from librdkafka's mock cluster, with a peer at the scheduler's place.
@Suite(.serialized) struct KafkaSourceTests {
    private struct Fixture {
        static let partitions = 3

        let broker: MockBroker
        let router: RouterFixture

        init(_ settings: [String] = []) async throws {
            broker = try MockBroker()
            try broker.createTopic("requests", partitions: Self.partitions)
            router = try await RouterFixture(
                settings: [
                    "--kafka-brokers", broker.bootstrap, "--kafka-topics", "requests", "--kafka-config", "session.timeout.ms=6000",
                    "--kafka-config", "statistics.interval.ms=200",
                ] + settings)
        }

        func stop() async {
            await router.stop()
            broker.close()
        }

        var committed: [Int64] {
            get throws { try broker.committed("kubediag", "requests", partitions: Self.partitions) }
        }

        func deadLetters() async throws -> DeadLetterList {
            try #require(try await router.router.send(.get, "/api/v1/deadletters").body).decode(DeadLetterList.self)
        }

        func metric(_ line: String) async throws -> Bool {
            String(decoding: try await router.router.sendForBytes(.get, "/metrics").body, as: UTF8.self).contains(line)
        }
    }

    private static func flat(_ number: Int) -> String { #"{"operationset":"dump","node":"web-01","number":\#(number)}"# }

    @Test(.timeLimit(.minutes(1))) func everyFormatBecomesADiagnosisAndIsCommitted() async throws {
        let fixture = try await Fixture()
        try fixture.broker.produce("requests", 0, Self.flat(1))
        try fixture.broker.produce("requests", 1, #"{"metadata":{"name":"run"},"spec":{"operationSet":"dump","nodeName":"web-02"}}"#)
        let binding = [("ce_specversion", "1.0"), ("ce_id", "e"), ("ce_source", "s"), ("ce_type", "t")]
        // The same event twice, as a producer that was not sure sends it.
        for _ in 0..<2 { try fixture.broker.produce("requests", 2, Self.flat(3), headers: binding) }
        try fixture.broker.flush()

        #expect(try await eventually { try fixture.committed == [1, 1, 2] })
        let stored = fixture.router.peer.stored
        #expect(stored.count == 3)
        #expect(Set(stored.compactMap { $0.requested?.spec.nodeName }) == ["web-01", "web-02"])
        #expect(stored.allSatisfy { $0.trigger == "kafka" && $0.repeatIntervalSeconds == 7 * 86_400 && $0.traceparent != nil })
        let decisions = try await fixture.router.decisions()
        #expect(decisions.items.count == 4)
        #expect(decisions.items.allSatisfy { $0.receiver == "kafka" && $0.labels["topic"] == "requests" })
        #expect(decisions.items.count { $0.outcome == .created } == 3)
        #expect(try await fixture.metric(#"trigger_router_kafka_messages_total{outcome="created"} 3"#))
        #expect(try await fixture.metric("trigger_router_kafka_partitions 3"))
        #expect(try await eventually { try await fixture.metric(#"trigger_router_kafka_lag{topic="requests",partition="2"} 0"#) })
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(1))) func poisonGoesToTheDeadLettersAndStopsNothing() async throws {
        let fixture = try await Fixture()
        for number in 0..<5 {
            try fixture.broker.produce("requests", 0, Self.flat(number))
            try fixture.broker.produce("requests", 0, #"{"operationset": \#(number)"#)
        }
        try fixture.broker.produce("requests", 1, nil)
        try fixture.broker.produce("requests", 1, [0xFF, 0xFE, 0x00])
        try fixture.broker.flush()

        #expect(try await eventually { try Array(fixture.committed.prefix(2)) == [10, 2] })
        #expect(fixture.router.peer.stored.count == 5)
        let letters = try await fixture.deadLetters()
        #expect(letters.items.count == 7)
        #expect(letters.items.allSatisfy { $0.source == "kafka" && $0.reason == "Malformed" && $0.position["topic"] == "requests" })
        #expect(
            Set(letters.items.filter { $0.position["partition"] == "0" }.compactMap { $0.position["offset"] }) == ["1", "3", "5", "7", "9"])
        let decisions = try await fixture.router.decisions("?outcome=failed")
        #expect(decisions.items.count == 7)
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(1))) func whatTheSchedulerRefusesIsADeadLetterThatCanBeReplayed() async throws {
        let fixture = try await Fixture()
        fixture.router.peer.mood = .answering(IntakeResult(outcome: .rejected, reason: "Invalid", message: "no such thing"))
        try fixture.broker.produce("requests", 0, Self.flat(1), headers: [("content-type", "application/json")])
        try fixture.broker.flush()
        #expect(try await eventually { try fixture.committed[0] == 1 })
        let letter = try #require(try await fixture.deadLetters().items.first)
        #expect(letter.reason == "Rejected" && letter.message == "no such thing")

        let path = "/api/v1/deadletters/\(letter.id)/replay"
        #expect(try await fixture.router.router.send(.post, path).status == 422)
        fixture.router.peer.mood = .fine
        #expect(try await fixture.router.router.send(.post, path).status == 200)
        #expect(fixture.router.peer.stored.first?.requested?.spec.parameters == ["number": "1"])
        #expect(try await fixture.deadLetters().items.isEmpty)
        // It is the same request wherever it comes from.
        #expect(fixture.router.peer.stored.first?.sourceName == "requests/0/0")
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(1))) func whileTheSchedulerIsFullNothingIsCommittedAndNothingIsLost() async throws {
        let fixture = try await Fixture()
        fixture.router.peer.mood = .fillingUp(after: 40)
        for number in 0..<90 { try fixture.broker.produce("requests", Int32(number % 3), Self.flat(number)) }
        try fixture.broker.flush()
        #expect(try await eventually { try await fixture.metric("\ntrigger_router_kafka_paused 1\n") })
        #expect(fixture.router.peer.stored.count == 40)
        // Those that come meanwhile wait in their partitions.
        for number in 90..<120 { try fixture.broker.produce("requests", Int32(number % 3), Self.flat(number)) }
        try fixture.broker.flush()
        #expect(
            try await eventually {
                let total = try fixture.committed.reduce(0) { $0 + max($1, 0) }
                return try await fixture.metric("\ntrigger_router_kafka_paused 1\n") && total <= 40
            })
        fixture.router.peer.mood = .fine
        #expect(try await eventually { try fixture.committed == [40, 40, 40] })
        #expect(fixture.router.peer.stored.count == 120)
        #expect(Set(fixture.router.peer.stored.compactMap { $0.requested?.spec.parameters?["number"] }).count == 120)
        #expect(try await eventually { try await fixture.metric("\ntrigger_router_kafka_paused 0\n") })
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(1))) func whatTheSchedulerHoldsBackWaits() async throws {
        let fixture = try await Fixture()
        let until = WallClock.now().adding(seconds: 1)
        fixture.router.peer.mood = .answering(IntakeResult(outcome: .suppressed, reason: "BudgetExhausted", until: until))
        try fixture.broker.produce("requests", 0, Self.flat(1))
        try fixture.broker.flush()
        #expect(try await eventually { try await fixture.metric("\ntrigger_router_kafka_paused 1\n") })
        #expect(try fixture.committed[0] < 1)
        fixture.router.peer.mood = .fine
        #expect(try await eventually { try fixture.committed[0] == 1 })
        #expect(fixture.router.peer.stored.count == 1)
        #expect(try await fixture.deadLetters().items.isEmpty)
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(3))) func aBrokerThatGoesAndComesAgainLosesNothing() async throws {
        let fixture = try await Fixture()
        for number in 0..<30 { try fixture.broker.produce("requests", Int32(number % 3), Self.flat(number)) }
        try fixture.broker.flush()
        #expect(try await eventually { fixture.router.peer.stored.count == 30 })
        try fixture.broker.setDown(1)
        #expect(try await eventually { try await fixture.metric("trigger_router_kafka_errors_total") })
        try fixture.broker.setUp(1)
        for number in 30..<60 { try fixture.broker.produce("requests", Int32(number % 3), Self.flat(number)) }
        try fixture.broker.flush()
        // The client waits for up to ten seconds before it connects again, and its group for as long before it is whole.
        let isDone = try await eventually(seconds: 120) { try fixture.committed == [20, 20, 20] }
        let committed = try fixture.committed
        #expect(isDone, "committed \(committed), stored \(fixture.router.peer.stored.count)")
        #expect(fixture.router.peer.stored.count == 60)
        await fixture.stop()
    }

    // MARK: Settings

    private static func faults(_ settings: [String], dataDirectory: Bool = true) async throws -> String {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let data = dataDirectory ? ["--data-dir", directory.path] : []
        let configuration = try TriggerRouter.program.table.configuration(arguments: data + settings)
        let context = ServiceContext(
            name: "trigger-router", configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        do {
            let router = try await TriggerRouter(context)
            await router.assembly.close()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func wrongSettingsAreAllToldAndNeverTellASecret() async throws {
        let brokers = ["--kafka-brokers", "127.0.0.1:1"]
        #expect(try await Self.faults(brokers) == "--kafka-brokers: needs --kafka-topics too")
        #expect(try await Self.faults(["--kafka-topics", "a"]) == "--kafka-topics: needs --kafka-brokers too")
        let whole = try await Self.faults(
            brokers + [
                "--kafka-topics", "a", "--kafka-config", "no.such.thing=1", "--kafka-config", "sasl.password=hunter2", "--kafka-config",
                "group.id=x", "--kafka-config-file", "/nowhere/at/all",
            ])
        #expect(whole.contains("no.such.thing is no property of librdkafka"))
        #expect(whole.contains("sasl.password belongs into --kafka-config-file"))
        #expect(whole.contains("group.id can't be set here"))
        #expect(whole.contains("/nowhere/at/all"))
        #expect(!whole.contains("hunter2"))
        let bare = try await Self.faults(brokers + ["--kafka-topics", "a", "--triggers-from", "http://127.0.0.1:1"], dataDirectory: false)
        #expect(bare == "--kafka-brokers: needs --data-dir too: messages that can't be used are kept there")
        let certificate = ["--kafka-config", "security.protocol=SSL", "--kafka-config", "ssl.ca.location=/nowhere"]
        #expect(try await Self.faults(brokers + ["--kafka-topics", "a"] + certificate).contains("ssl.ca.location"))
    }

    @Test func propertiesComeFromAFileThatNobodyElseReads() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/kafka.properties"
        try Self.write(
            "# comment\n\nsecurity.protocol = SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=u\nsasl.password=p=w,x\n", to: path)
        let settings = ["--kafka-brokers", "127.0.0.1:1", "--kafka-topics", "a", "--kafka-config-file", path]
        #expect(try await Self.faults(settings) == "")
        try Self.write("sasl.password\n", to: path)
        #expect(try await Self.faults(settings).contains("has a line that is not KEY=VALUE"))
        try Self.write("client.id=x\n", to: path, mode: 0o644)
        #expect(try await Self.faults(settings).contains("chmod 600"))
    }

    private static func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
}
