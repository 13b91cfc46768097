import EventRecording
import HTTPClient
import Logging
import Model
import ResourceStore
import ResourceStoreSQLite
import SchedulerCore
import ServiceKit
import TestSupport
import Testing

@testable import SchedulerService

/// The scheduler's watch of its own store is behind what is in the store.
@Suite struct LateWatchTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteStore
    private let engine: DiagnosisEngine

    init() throws {
        directory = try TemporaryDirectory()
        store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory.path))
        let registry = MetricRegistry()
        let metrics = SchedulerMetrics(registry)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (http, clock) = (try HTTPClient(), SchedulerClock())
        let nowhere = try #require(HTTPURL("http://127.0.0.1:1"))
        engine = DiagnosisEngine(
            store: store, clock: clock, limits: SchedulerLimits(),
            plans: PlanSource(
                client: ServiceClient(http: http, base: nowhere, token: nil), clock: clock,
                reachable: HealthRegistry().condition("GraphBuilderReachable", missing: ""), questions: metrics.planQuestions),
            cluster: nil, gateway: AgentGateway(http: http, token: nil), lane: WorkLane(), metrics: metrics,
            events: EventRecorder(component: "scheduler", store: store, metrics: registry, logger: logger), logger: logger)
    }

    private func diagnosis(_ phase: DiagnosisPhase?) -> Diagnosis {
        var metadata = ObjectMeta(name: "look", namespace: API.defaultNamespace)
        metadata.uid = UID("0b6f2b1e-6d1c-4f0a-9a53-3f0d4f1c7a10")
        metadata.creationTimestamp = WallClock.now()
        var status = DiagnosisStatus()
        status.phase = phase
        return Diagnosis(metadata: metadata, spec: DiagnosisSpec(operationSet: "look"), status: phase == nil ? nil : status)
    }

    private func finish() async throws {
        await store.close()
        directory.remove()
    }

    @Test func whatHasEndedIsNotTakenForNew() async throws {
        let running = try await store.create(try EncodedObject(diagnosis(.running)))
        let ended = try await store.transact([.update(try EncodedObject(diagnosis(.succeeded)), ifRevision: running.revision)])
        try await engine.observe(.modified(running))
        #expect(await engine.admittedCount == 0)
        let present = try #require(try await store.get(running.key))
        #expect(present.fields["status.phase"] == "Succeeded" && ended.revision == present.revision)
        try await finish()
    }

    @Test func whatIsNewIsAdmittedOnce() async throws {
        let new = try await store.create(try EncodedObject(diagnosis(nil)))
        try await engine.observe(.added(new))
        try await engine.observe(.modified(new))
        #expect(await engine.admittedCount == 1)
        try await finish()
    }

    @Test func whatIsGoneIsNotAdmitted() async throws {
        let new = try await store.create(try EncodedObject(diagnosis(nil)))
        _ = try await store.transact([.delete(new.key, ifRevision: nil)])
        try await engine.observe(.added(new))
        #expect(await engine.admittedCount == 0)
        try await finish()
    }
}

extension DiagnosisEngine {
    fileprivate var admittedCount: Int { entries.count }
}
