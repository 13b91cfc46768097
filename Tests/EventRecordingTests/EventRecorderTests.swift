import EventRecording
import Foundation
import JSONCoding
import Logging
import Model
import ResourceStore
import ResourceStoreSQLite
import ServiceKit
import TestSupport
import Testing

/// A recorder on a real store, running.
private func withRecorder(_ body: (EventRecorder, SQLiteStore, MetricRegistry) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory))
    let metrics = MetricRegistry()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let recorder = EventRecorder(component: "scheduler", store: store, metrics: metrics, logger: logger)
    let running = Task { try await recorder.run() }
    try await body(recorder, store, metrics)
    running.cancel()
    try await running.value
    await store.close()
}

private func events(_ store: SQLiteStore) async throws -> [Event] {
    try await store.list(ListQuery(plural: "events")).items.map { try $0.decode(Event.self) }
}

private let diagnosis = ObjectReference(
    kind: "Diagnosis", namespace: "ns", name: "d", uid: UID("u"), apiVersion: "diagnosis.kubediag.org/v1")

@Suite struct EventRecorderTests {
    @Test func aNoteBecomesAnEventAndARepeatACount() async throws {
        try await withRecorder { recorder, store, _ in
            recorder.record(diagnosis, .normal, "Succeeded", "path 1")
            #expect(try await eventually { try await events(store).count == 1 })
            let first = try #require(try await events(store).first)
            #expect(first.apiVersion == "v1" && first.kind == "Event" && first.metadata.namespace == "ns")
            #expect(first.involvedObject == diagnosis && first.type == .normal && first.reason == "Succeeded")
            #expect(first.count == 1 && first.source == EventSource(component: "scheduler") && first.firstTimestamp != nil)
            recorder.record(diagnosis, .normal, "Succeeded", "path 1")
            #expect(try await eventually { try await events(store).map(\.count) == [2] })
        }
    }

    @Test func anotherProcessGoesOnCounting() async throws {
        try await withRecorder { recorder, store, _ in
            recorder.record(diagnosis, .normal, "Succeeded", "path 1")
            #expect(try await eventually { try await events(store).count == 1 })
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let next = EventRecorder(component: "scheduler", store: store, metrics: MetricRegistry(), logger: logger)
            next.record(diagnosis, .normal, "Succeeded", "path 1")
            let running = Task { try await next.run() }
            #expect(try await eventually { try await events(store).map(\.count) == [2] })
            running.cancel()
            try await running.value
        }
    }

    @Test func whatHasNoNamespaceIsToldBesideTheDiagnoses() async throws {
        try await withRecorder { recorder, store, _ in
            recorder.record(ObjectReference(kind: "Agent", name: "web-01"), .warning, "Lost", "not heard of")
            let isThere = try await eventually { try await events(store).map(\.metadata.namespace) == [API.defaultNamespace] }
            #expect(isThere)
        }
    }

    @Test func whatIsLeftIsWrittenAtTheEnd() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let recorder = EventRecorder(component: "scheduler", store: store, metrics: MetricRegistry(), logger: logger)
        recorder.record(diagnosis, .normal, "Succeeded", "path 1")
        let running = Task { try await recorder.run() }
        running.cancel()
        try await running.value
        #expect(try await events(store).count == 1)
        await store.close()
    }

    @Test func spamAndRefusalsAreCounted() async throws {
        try await withRecorder { recorder, store, metrics in
            for number in 0..<30 { recorder.record(diagnosis, .normal, "R\(number)", "x") }
            #expect(try await eventually { try await events(store).count == 25 })
            await store.close()
            recorder.record(ObjectReference(kind: "Agent", name: "web-01"), .normal, "Lost", "x")
            let areCounted = try await eventually {
                let text = String(decoding: metrics.text(), as: UTF8.self)
                return text.contains("events_dropped_total{reason=\"Spam\"} 5\n")
                    && text.contains("events_dropped_total{reason=\"NotWritten\"} 1\n") && text.contains("events_recorded_total 25\n")
            }
            #expect(areCounted)
        }
    }
}
