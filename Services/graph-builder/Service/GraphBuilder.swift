import EventRecording
import GarbageCollection
import GraphBuilderCore
import HTTPClient
import Model
import ProcessRunner
import ResourceAPI
import ResourceStore
import ServiceKit
import ServiceStore

/// graph-builder wired: owns Operation and OperationSet, keeps the status of operation sets true, and serves plans and drawings.
public struct GraphBuilder: Sendable {
    public static let program = ServiceProgram(
        name: "graph-builder",
        summary: "Owns operations and operation sets: validates them, builds their graphs, and serves the plans that are run.",
        defaultPort: 8081, settings: GraphBuilderSettings.all
    ) { context in
        try await GraphBuilder(context).assembly
    }

    public let assembly: ServiceAssembly

    public init(_ context: ServiceContext) async throws {
        let store = try ServiceStore.open(context)
        let read = context.health.condition("OperationsRead", missing: "operations and operation sets are being read")
        let http = try HTTPClient()
        let runner = try ProcessRunner()
        let renderer = GraphRenderer(program: context.configuration[GraphBuilderSettings.dotProgram], runner: runner)
        let events = EventRecorder(context, to: context.configuration[GraphBuilderSettings.triggerRouter], http: http)
        let reconciler = OperationSetReconciler(
            store: store, metrics: context.metrics, events: events, logger: context.logger, read: read)
        let plans = PlanSource(store: store)
        let group = ServedGroup([
            ServedKind(definition: Operation.definition, store: store),
            ServedKind(definition: OperationSet.definition, store: store, isStatusWritable: false) { request throws(APIError) in
                AdmissionReview(warnings: try await reconciler.warnings(about: request))
            },
        ])
        let owners = OwnershipCollector(
            kinds: [Operation.definition, OperationSet.definition], store: store,
            services: [
                OwnerService(
                    name: "scheduler", at: context.configuration[GraphBuilderSettings.scheduler], context, http,
                    owning: [Diagnosis.definition, Agent.definition]),
                OwnerService(
                    name: "trigger-router", at: context.configuration[GraphBuilderSettings.triggerRouter], context, http,
                    owning: [Trigger.definition, CommonEvent.definition, Event.definition]),
            ], metrics: context.metrics, logger: context.logger)
        assembly = ServiceAssembly(
            endpoints: GraphEndpoints(plans: plans, store: store, renderer: renderer).all + group.endpoints
                + [owners.endpoint, .serviceDocument(ServiceDocument.bytes)],
            background: { _ in
                [
                    BackgroundLoop { try await events.run() }, BackgroundLoop { try await reconciler.run() },
                    BackgroundLoop { try await owners.run() },
                ]
            },
            close: {
                await runner.shutdown()
                await http.shutdown()
                await store.close()
            })
    }
}
