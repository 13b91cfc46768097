import KubernetesConnection
import ServiceKit
import TriggerRouterCore

/// The settings that the trigger-router has beside the common ones.
public enum TriggerRouterSettings {
    public static let scheduler = Setting<HTTPURL>(
        "scheduler-url", default: HTTPURL("http://127.0.0.1:8082"), help: "where the scheduler takes in what is to be diagnosed")
    public static let graphBuilder = Setting<HTTPURL>(
        "graph-builder-url", default: HTTPURL("http://127.0.0.1:8081"), help: "where operations and operation sets are kept")
    public static let triggersFrom = Setting<HTTPURL?>(
        "triggers-from", default: .some(nil), placeholder: "URL",
        help: "run as a replica: take the triggers from the trigger-router at this URL and keep no store of them")
    public static let receiverBodyMax = Setting<ByteCount>(
        "receiver-body-max", default: .mebibytes(32), help: "largest body that the alert receivers take; past it the answer is 413")
    public static let deadLettersMax = Setting<Int>(
        "dead-letters-max", default: 10_000, in: 1...100_000, help: "dead letters kept; beyond it the oldest go")
    public static let deadLetterBytesMax = Setting<ByteCount>(
        "dead-letter-bytes-max", default: .mebibytes(64), help: "bytes that the dead letters may take; beyond it the oldest go"
    ) { $0.bytes >= 1 << 20 ? nil : "\($0.settingText) is too little: 1MiB at least" }
    public static let deadLetterAgeMax = Setting<Duration>(
        "dead-letter-age-max", default: .seconds(14 * 86_400), help: "how long a dead letter is kept after it came last")
    public static let decisionsMax = Setting<Int>(
        "decisions-max", default: 100_000, in: 100...10_000_000, help: "decisions about alerts and events kept; beyond it the oldest go")
    public static let decisionBytesMax = Setting<ByteCount>(
        "decision-bytes-max", default: .mebibytes(128), help: "bytes that the decisions may take; beyond it the oldest go"
    ) { $0.bytes >= 1 << 20 ? nil : "\($0.settingText) is too little: 1MiB at least" }
    public static let decisionAgeMax = Setting<Duration>(
        "decision-age-max", default: .seconds(7 * 86_400), help: "how long a decision is kept")

    public static let eventTTL = Setting<Duration>(
        "event-ttl", default: .seconds(3600), help: "how long an event about an object is kept after it last happened"
    ) { $0 > .zero ? nil : "has to be more than nothing" }

    public static let clusterEvents = Setting<String>(
        "kubernetes-events", default: "all", placeholder: "NAMESPACE",
        help: "which Events of the cluster start diagnoses, where there is a cluster: all, those of one namespace, or off")

    public static var all: [SettingDefinition] {
        [
            scheduler.definition, graphBuilder.definition, triggersFrom.definition, receiverBodyMax.definition,
            deadLettersMax.definition, deadLetterBytesMax.definition, deadLetterAgeMax.definition, eventTTL.definition,
            decisionsMax.definition, decisionBytesMax.definition, decisionAgeMax.definition, clusterEvents.definition,
        ] + KafkaSettings.all + KubernetesSettings.all
    }

    static func decisionLimits(_ configuration: Configuration) -> DecisionPageIndex.Limits {
        DecisionPageIndex.Limits(
            decisionsMax: configuration[decisionsMax], bytesMax: configuration[decisionBytesMax].bytes,
            ageSecondsMax: configuration[decisionAgeMax].secondsValue)
    }

    static func deadLetterLimits(_ configuration: Configuration) -> DeadLetterIndex.Limits {
        DeadLetterIndex.Limits(
            lettersMax: configuration[deadLettersMax], bytesMax: configuration[deadLetterBytesMax].bytes,
            ageSecondsMax: configuration[deadLetterAgeMax].secondsValue)
    }
}
