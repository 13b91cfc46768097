import EventRecording
import GarbageCollection
import HTTPClient
import KubernetesConnection
import Logging
import Model
import ResourceAPI
import ResourceClient
import ResourceForwarding
import ResourceStore
import ServiceKit
import ServiceStore
import TriggerRouterCore

/// trigger-router wired: owns Trigger, takes alerts in, matches them and hands what follows to the scheduler. It serves the other services'
/// kinds too, so that one URL has the whole API.
public struct TriggerRouter: Sendable {
    public static let program = ServiceProgram(
        name: "trigger-router",
        summary: "The front door: takes alerts in, matches them with the triggers, and hands what is to be diagnosed to the scheduler.",
        defaultPort: 8080, settings: TriggerRouterSettings.all
    ) { context in
        try await TriggerRouter(context).assembly
    }

    public let assembly: ServiceAssembly

    public init(_ context: ServiceContext) async throws {
        let kafka = try KafkaSettings.configuration(context)
        let cluster = try KubernetesConnection(context)
        let http = try HTTPClient(configuration: HTTPClientConfiguration(userAgent: "kubediag-trigger-router/\(ProductVersion.text)"))
        // A watch that is passed on holds a connection for as long as it lasts.
        let forwarding = try HTTPClient(
            configuration: HTTPClientConfiguration(connectionsPerOriginMax: 2_048, connectionsMax: 4_096, userAgent: ""))
        let triggers = LiveTriggers(logger: context.logger)
        let scheduler = ServiceClient(http: http, base: context.configuration[TriggerRouterSettings.scheduler], token: context.clientToken)
        let reachable = context.health.condition("SchedulerReachable", missing: "the scheduler at \(scheduler.base) has not answered yet")
        let shelved = EventShelf(
            ttl: context.configuration[TriggerRouterSettings.eventTTL], metrics: context.metrics, logger: context.logger)
        let source = try await Self.source(context, http, triggers, shelved)
        let metrics = RouterMetrics(context.metrics, triggers: triggers)
        let recorder = EventRecorder(
            component: Self.program.name, store: source.store, metrics: context.metrics, logger: context.logger)
        let activity = TriggerActivity(
            store: source.store, judging: source.isRemote ? nil : triggers, writesPerTransaction: source.isRemote ? 1 : 100,
            events: TriggerEvents(recorder: recorder, triggers: triggers), logger: context.logger)
        let decisions = DecisionLog(
            store: source.journal, limits: TriggerRouterSettings.decisionLimits(context.configuration),
            metrics: DecisionMetrics(context.metrics), logger: context.logger, now: WallClock.now())
        try await decisions.load()
        let handover = IntakeHandover(scheduler: scheduler, metrics: metrics, reachable: reachable)
        let pipeline = IntakePipeline(
            triggers: triggers, handover: handover, decisions: decisions, activity: activity, metrics: metrics)
        let shelf = CommonEventShelf(store: source.store, logger: context.logger)
        let deadLetters = DeadLetterShelf(
            store: source.journal, limits: TriggerRouterSettings.deadLetterLimits(context.configuration),
            metrics: DeadLetterMetrics(context.metrics), logger: context.logger)
        try await deadLetters.load()
        let messages = MessageIntake(
            pipeline: pipeline, deadLetters: deadLetters, metrics: KafkaMetrics(context.metrics), logger: context.logger)
        let kafkaSource = kafka.map { KafkaSource(properties: $0.properties, topics: $0.topics, intake: messages, logger: context.logger) }
        let events = EventReceiver(pipeline: pipeline, shelf: shelf, deadLetters: deadLetters)
        let clusterEvents = cluster.flatMap { Self.clusterEvents($0, events, source.journal, context) }
        let cloudEvents = CloudEventReceiver(pipeline: pipeline, deadLetters: deadLetters)
        let replays = [MessageIntake.source: messages.replay, CloudEvent.source: cloudEvents.replay]
        let endpoints = RouterEndpoints(
            receiver: AlertReceiver(pipeline: pipeline), events: events, cloudEvents: cloudEvents, decisions: decisions,
            deadLetters: DeadLetterEndpoints(shelf: deadLetters, replays: events.replays.merging(replays) { first, _ in first }),
            triggers: triggers,
            receiverBodyMax: context.configuration[TriggerRouterSettings.receiverBodyMax])
        let kinds = RouterKinds(
            triggers: triggers, store: source.store, events: shelved,
            graphBuilder: OwnerForwarder(
                owner: "graph-builder",
                client: Self.client(of: context.configuration[TriggerRouterSettings.graphBuilder], context, forwarding)),
            scheduler: OwnerForwarder(
                owner: "scheduler", client: Self.client(of: context.configuration[TriggerRouterSettings.scheduler], context, forwarding)),
            router: context.configuration[TriggerRouterSettings.triggersFrom].map {
                OwnerForwarder(owner: "trigger-router", client: Self.client(of: $0, context, forwarding))
            })
        // A replica keeps no objects, so it has none to collect.
        let owners = source.isRemote ? nil : Self.collector(source.store, context, http)
        let probe = SchedulerProbe(handover: handover, pipeline: pipeline)
        let clock = CronClock(triggers: triggers, pipeline: pipeline, activity: activity, logger: context.logger)
        assembly = ServiceAssembly(
            endpoints: endpoints.all + kinds.ownersRoutes + ServedGroup(kinds.all).endpoints
                + [kinds.dependents(owners), .serviceDocument(ServiceDocument.bytes)],
            background: { _ in
                var loops = [
                    BackgroundLoop { try await recorder.run() }, BackgroundLoop { try await triggers.run() },
                    BackgroundLoop { try await activity.run() },
                    BackgroundLoop { try await probe.run() }, BackgroundLoop { try await clock.run() },
                    BackgroundLoop { try await deadLetters.run() }, BackgroundLoop { try await decisions.run() },
                    source.isRemote ? BackgroundLoop { try await source.feed.follow() } : BackgroundLoop { try await shelf.run() },
                ]
                if !source.isRemote { loops.append(BackgroundLoop { try await shelved.run(in: source.store) }) }
                if let kafkaSource { loops.append(BackgroundLoop { try await kafkaSource.run() }) }
                if let clusterEvents { loops.append(BackgroundLoop { try await clusterEvents.run() }) }
                if let owners { loops.append(BackgroundLoop { try await owners.run() }) }
                return loops
            },
            close: {
                await source.store.close()
                if source.isRemote { await source.journal?.close() }
                await cluster?.shutdown()
                await forwarding.shutdown()
                await http.shutdown()
            })
    }

    /// The cluster's Events as a source; nil where they are not wanted.
    private static func clusterEvents(
        _ cluster: KubernetesConnection, _ receiver: EventReceiver, _ journal: (any ResourceStore)?, _ context: ServiceContext
    ) -> ClusterEventSource? {
        let wanted = context.configuration[TriggerRouterSettings.clusterEvents]
        guard wanted != "off" else { return nil }
        return ClusterEventSource(
            connection: cluster, namespace: wanted == "all" ? "" : wanted, receiver: receiver, journal: journal,
            metrics: ClusterMetrics(context.metrics), logger: context.logger)
    }

    private static func collector(_ store: any ResourceStore, _ context: ServiceContext, _ http: HTTPClient) -> OwnershipCollector {
        OwnershipCollector(
            kinds: [Trigger.definition, CommonEvent.definition, Event.definition], store: store,
            services: [
                OwnerService(
                    name: "graph-builder", at: context.configuration[TriggerRouterSettings.graphBuilder], context, http,
                    owning: [Operation.definition, OperationSet.definition]),
                OwnerService(
                    name: "scheduler", at: context.configuration[TriggerRouterSettings.scheduler], context, http,
                    owning: [Diagnosis.definition, Agent.definition]),
            ], metrics: context.metrics, logger: context.logger)
    }

    /// Where the triggers are: the own store with everything loaded, or another router's.
    private struct Source: Sendable {
        let store: any ResourceStore
        /// Where this process keeps records of its own; nil for a replica without a data directory.
        let journal: (any ResourceStore)?
        let feed: TriggerFeed
        let isRemote: Bool
    }

    private static func source(
        _ context: ServiceContext, _ http: HTTPClient, _ triggers: LiveTriggers, _ events: EventShelf
    ) async throws -> Source {
        let loaded = context.health.condition("TriggersLoaded", missing: "the triggers are being loaded")
        let owner = context.configuration[TriggerRouterSettings.triggersFrom]
        let isKeeping = owner == nil || context.configuration[CommonSettings.dataDirectory] != nil
        let journal: (any ResourceStore)? = isKeeping ? try ServiceStore.open(context) : nil
        let store: any ResourceStore =
            if let owner {
                RemoteStore(
                    client: client(of: owner, context, http), definitions: [Trigger.definition, CommonEvent.definition, Event.definition])
            } else if let journal {
                journal
            } else {
                preconditionFailure("an owner of triggers has a store")
            }
        let feed = TriggerFeed(store: store, triggers: triggers, loaded: loaded, logger: context.logger)
        if owner == nil {
            try await feed.load()
            try await events.load(from: store)
        }
        let observed = ObservedStore(store: store) { change in
            triggers.note(change)
            if owner == nil { events.note(change) }
        }
        return Source(store: observed, journal: journal, feed: feed, isRemote: owner != nil)
    }

    private static func client(of owner: HTTPURL, _ context: ServiceContext, _ http: HTTPClient) -> ResourceClient {
        let token = context.clientToken
        let credentials: ClientCredentials = token.map { token in .provider { token.authorization } } ?? .anonymous
        return ResourceClient(baseURL: "\(owner)", credentials: credentials, http: http)
    }
}
