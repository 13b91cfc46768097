import JSONCoding
import Model
import TriggerRouterCore

/// A seeded generator, so that a failure can be repeated from the seed it prints.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

func makeTrigger(
    _ name: String, alertName: String? = nil, labels: [String: String]? = nil, nodeLabel: String? = "instance",
    _ change: (inout Trigger) -> Void = { _ in }
) -> Trigger {
    let patterns = PrometheusAlertTemplate.Patterns(alertName: alertName, labels: labels)
    let template = PrometheusAlertTemplate(regexp: patterns, nodeNameReferenceLabel: nodeLabel)
    var trigger = Trigger(
        metadata: ObjectMeta(name: name),
        spec: TriggerSpec(operationSet: "disk-full", sourceTemplate: SourceTemplate(prometheusAlertTemplate: template)))
    trigger.metadata.uid = UID("uid-of-\(name)")
    change(&trigger)
    return trigger
}

func makeAlert(
    _ name: String?, _ labels: [String: String] = [:], annotations: [String: String] = [:], startsAt: String? = "2026-11-22T19:01:58.659Z",
    endsAt: String? = nil, status: Alert.Status? = nil
) -> Alert {
    var labels = labels
    labels["alertname"] = name
    return Alert(
        labels: LabelSet(labels), annotations: LabelSet(annotations), startsAt: startsAt.flatMap(AlertTime.init),
        endsAt: endsAt.flatMap(AlertTime.init), generatorURL: "http://prometheus.example:9090/graph", statedStatus: status)
}

let noon = Timestamp("2026-11-22T12:00:00Z") ?? Timestamp(seconds: 0)
