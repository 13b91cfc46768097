import KubernetesConnection
import SchedulerCore
import ServiceKit

/// What the scheduler can be told, beside the common settings.
public enum SchedulerSettings {
    public static let graphBuilder = Setting<HTTPURL?>(
        "graph-builder-url", default: HTTPURL("http://127.0.0.1:8081"), help: "base URL of the graph-builder, which serves the plans")
    public static let triggerRouter = Setting<HTTPURL>(
        "trigger-router-url", default: HTTPURL("http://127.0.0.1:8080"),
        help: "where triggers and common events are kept, which may own diagnoses or belong to them")
    public static let diagnosisTTL = Setting<Duration>(
        "diagnosis-ttl", default: .seconds(240 * 3600), help: "how long a finished diagnosis is kept, unless its spec says less")
    public static let finishedPerNodeMax = Setting<Int>(
        "max-finished-per-node", default: 1000, in: 1...1_000_000, help: "finished diagnoses kept per node; past it the oldest go")
    public static let garbageInterval = Setting<Duration>(
        "gc-interval", default: .seconds(60), help: "time between two rounds of garbage collection", validate: positive)
    public static let queuedDiagnosesMax = Setting<Int>(
        "queued-diagnoses-max", default: 50_000, in: 1...1_000_000,
        help: "diagnoses that may wait to be dispatched; past it intake answers 503 with Retry-After")
    public static let diagnosesPerMinuteMax = Setting<Int>(
        "diagnoses-per-minute-max", default: 1000, in: 1...1_000_000,
        help: "diagnoses that all triggers together may start in a minute; past it matches are suppressed, BudgetExhausted")
    public static let blastRadius = Setting<String>(
        "blast-radius", default: "25%",
        help:
            "nodes that may be under operations that mutate or destroy at once: a number, a percentage of the ready agents (one at least), or off",
        validate: { BlastRadius.Limit($0) == nil ? "has to be a number of nodes, a percentage such as 25%, or off" : nil })
    public static let resolveGrace = Setting<Duration>(
        "resolve-grace", default: .seconds(10), help: "how long a missing operation set or agent may still appear")
    public static let targetWait = Setting<Duration>(
        "target-wait", default: .seconds(300),
        help: "how long a diagnosis may wait for its pod to be scheduled, or for the kube-apiserver to be reached", validate: positive)
    public static let pendingMax = Setting<Duration>(
        "pending-max", default: .seconds(3600), help: "how long a diagnosis may wait for an agent; time spent paused does not count",
        validate: positive)
    public static let unknownMax = Setting<Duration>(
        "unknown-max", default: .seconds(300),
        help: "how long the agent of a running diagnosis may be away at least before Unknown becomes Failed", validate: positive)
    public static let lease = Setting<Duration>(
        "agent-lease", default: .seconds(15), help: "how long an agent counts as there after it was last heard of", validate: positive)
    public static let heartbeat = Setting<Duration>(
        "agent-heartbeat", default: .seconds(5), help: "how often agents are to say that they are there", validate: positive)

    public static let all: [SettingDefinition] = own + KubernetesSettings.all

    private static let own: [SettingDefinition] = [
        graphBuilder.definition, triggerRouter.definition, diagnosisTTL.definition, finishedPerNodeMax.definition,
        garbageInterval.definition, queuedDiagnosesMax.definition, diagnosesPerMinuteMax.definition, blastRadius.definition,
        resolveGrace.definition, targetWait.definition, pendingMax.definition, unknownMax.definition, lease.definition,
        heartbeat.definition,
    ]

    private static let positive: @Sendable (Duration) -> String? = { $0 > .zero ? nil : "has to be more than nothing" }

    /// What is wrong with the settings together.
    static func faults(_ configuration: Configuration) -> [ConfigurationFault] {
        guard configuration[heartbeat] * 2 > configuration[lease] else { return [] }
        return [
            ConfigurationFault(
                configuration.origin(of: heartbeat), "has to be at most half of --agent-lease, or one lost heartbeat ends a lease")
        ]
    }
}

/// The limits that the settings give.
struct SchedulerLimits: Sendable {
    var lifecycle = LifecycleLimits()
    var agents = AgentRegistry.Limits()
    var garbage = GarbageRules()
    var garbageIntervalSeconds: Double = 60
    var queuedDiagnosesMax = 50_000
    var diagnosesPerMinuteMax = 1000
    var blastRadius = BlastRadius.Limit.percent(25)

    init() {}

    init(_ configuration: Configuration) {
        lifecycle.resolveGraceSeconds = configuration[SchedulerSettings.resolveGrace].secondsValue
        lifecycle.targetSecondsMax = configuration[SchedulerSettings.targetWait].secondsValue
        lifecycle.pendingSecondsMax = configuration[SchedulerSettings.pendingMax].secondsValue
        lifecycle.unknownSecondsMax = configuration[SchedulerSettings.unknownMax].secondsValue
        agents.leaseSeconds = configuration[SchedulerSettings.lease].secondsValue
        agents.heartbeatSeconds = configuration[SchedulerSettings.heartbeat].secondsValue
        garbage.diagnosisTTLSeconds = configuration[SchedulerSettings.diagnosisTTL].secondsValue
        garbage.finishedPerNodeMax = configuration[SchedulerSettings.finishedPerNodeMax]
        garbageIntervalSeconds = configuration[SchedulerSettings.garbageInterval].secondsValue
        queuedDiagnosesMax = configuration[SchedulerSettings.queuedDiagnosesMax]
        diagnosesPerMinuteMax = configuration[SchedulerSettings.diagnosesPerMinuteMax]
        blastRadius = BlastRadius.Limit(configuration[SchedulerSettings.blastRadius]) ?? blastRadius
    }
}
