import EventRecording
import GarbageCollection
import HTTPClient
import KubernetesConnection
import Logging
import Model
import ResourceAPI
import ResourceStore
import SchedulerCore
import ServiceKit
import ServiceStore

/// The scheduler wired: owns Diagnosis and Agent, takes matches in, dispatches to agents and keeps the outcome.
public struct Scheduler: Sendable {
    public static let program = ServiceProgram(
        name: "scheduler",
        summary: "Owns diagnoses and agents: takes alerts' diagnoses in, dispatches them to the agents of their nodes, keeps the outcome.",
        defaultPort: 8082, settings: SchedulerSettings.all
    ) { context in
        try await Scheduler(context).assembly
    }

    public let assembly: ServiceAssembly

    public init(_ context: ServiceContext) async throws {
        let faults = SchedulerSettings.faults(context.configuration)
        if !faults.isEmpty { throw ConfigurationFaults(faults) }
        guard let graphBuilder = context.configuration[SchedulerSettings.graphBuilder] else {
            throw ConfigurationFaults([
                ConfigurationFault(context.configuration.origin(of: SchedulerSettings.graphBuilder), "is needed: the graph-builder's URL")
            ])
        }
        let limits = SchedulerLimits(context.configuration)
        let cluster = try KubernetesConnection(context).map { KubernetesCluster($0, logger: context.logger) }
        KubernetesCluster.measure(cluster, in: context.metrics)
        let store = try ServiceStore.open(context)
        let http = try HTTPClient()
        let clock = SchedulerClock()
        let metrics = SchedulerMetrics(context.metrics)
        let plans = PlanSource(
            client: ServiceClient(http: http, base: graphBuilder, token: context.clientToken), clock: clock,
            reachable: context.health.condition("GraphBuilderReachable", missing: "graph-builder at \(graphBuilder) has not answered yet"),
            questions: metrics.planQuestions)
        let lane = WorkLane()
        let events = EventRecorder(context, to: context.configuration[SchedulerSettings.triggerRouter], http: http)
        let engine = DiagnosisEngine(
            store: store, clock: clock, limits: limits, plans: plans, cluster: cluster,
            gateway: AgentGateway(http: http, token: context.clientToken), lane: lane, metrics: metrics, events: events,
            logger: context.logger)
        let revision = try await store.currentRevision()
        try await engine.load()

        let desk = IntakeDesk(engine: engine, store: store, clock: clock, plans: plans, metrics: metrics)
        let own = SchedulerEndpoints(
            engine: engine, desk: desk, evidence: EvidenceForwarder(engine: engine, http: http, token: context.clientToken)
        ).all
        let api = ServedGroup(Self.kinds(store, engine), clock: { clock.now() })
        let watcher = StoreWatcher(engine: engine, store: store, clock: clock, logger: context.logger)
        let collector = GarbageCollector(
            engine: engine, store: store, clock: clock, limits: limits, metrics: metrics, logger: context.logger)
        let owners = OwnershipCollector(
            kinds: [Diagnosis.definition, Agent.definition], store: store,
            services: [
                OwnerService(
                    name: "graph-builder", at: graphBuilder, context, http, owning: [Operation.definition, OperationSet.definition]),
                OwnerService(
                    name: "trigger-router", at: context.configuration[SchedulerSettings.triggerRouter], context, http,
                    owning: [Trigger.definition, CommonEvent.definition, Event.definition]),
            ], metrics: context.metrics, logger: context.logger, now: { clock.now() })
        assembly = ServiceAssembly(
            endpoints: own + api.endpoints + [owners.endpoint, .serviceDocument(ServiceDocument.bytes)],
            background: { _ in
                [
                    BackgroundLoop { try await events.run() },
                    BackgroundLoop { await lane.run() },
                    BackgroundLoop { await watcher.runDiagnoses(after: revision) },
                    BackgroundLoop { await watcher.runAgents(after: revision) },
                    BackgroundLoop { await collector.run() },
                    BackgroundLoop { try await owners.run() },
                    BackgroundLoop { await Self.probe(plans, clock) },
                ] + (cluster.map { cluster in [BackgroundLoop { await cluster.run() }] } ?? [])
            },
            close: {
                await engine.stop()
                await cluster?.shutdown()
                await http.shutdown()
                await store.close()
            })
    }

    private static func kinds(_ store: any ResourceStore, _ engine: DiagnosisEngine) -> [ServedKind] {
        [
            ServedKind(definition: Diagnosis.definition, store: store, isStatusWritable: false) { request throws(APIError) in
                if request.change == .create, await engine.isFull { throw .full }
                return AdmissionReview()
            },
            ServedKind(
                definition: Agent.definition, store: store, verbs: [.get, .list, .watch, .update, .patch, .delete, .deletecollection],
                isStatusWritable: false),
        ]
    }

    private static func probe(_ plans: PlanSource, _ clock: SchedulerClock) async {
        var pause = 0.2
        while !Task.isCancelled {
            await plans.probe()
            await clock.wait(until: clock.now().adding(seconds: pause))
            pause = min(5, pause * 2)
        }
    }
}
