// Matches alerts against 10,000 triggers (9,000 anchored alert names, 1,000 regular expressions with label patterns), beside the
// reference: a loop that compiles each pattern for each alert, as the original KubeDiag does, and one that asks each compiled trigger.
// Prints times of this thread's CPU, and the parsing of the webhook that carries as many alerts as Alertmanager sends at once.
import Glibc
import Model
import RegularExpressions
import TriggerRouterCore

let triggerCount = 10_000
let nameCount = 500
let alertCount = 10_000

func cpuSeconds(_ body: () -> Void) -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    body()
    return now() - start
}

func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

func makeTrigger(_ number: Int) -> Trigger {
    var patterns = PrometheusAlertTemplate.Patterns()
    switch number {
    case 0..<9000: patterns.alertName = "^Service\(number)Latency$"
    case 9000..<9500:
        patterns.alertName = "^Service\(number % 500)[0-9]?(Latency|Errors|Saturation)"
        patterns.labels = ["severity": "^(critical|page)$", "instance": "^web-[0-9]+:9100$"]
    default:
        patterns.alertName = "(?i)service\(number % 500).*latency"
        patterns.labels = ["mountpoint": "^/(var|data\(number % 7))(/.*)?$"]
    }
    var template = PrometheusAlertTemplate(regexp: patterns)
    template.nodeNameReferenceLabel = "instance"
    var trigger = Trigger(
        metadata: ObjectMeta(name: "trigger-\(number)"),
        spec: TriggerSpec(operationSet: "disk-full", sourceTemplate: SourceTemplate(prometheusAlertTemplate: template)))
    trigger.metadata.uid = UID("uid-\(number)")
    return trigger
}

func makeAlert(_ number: Int) -> Alert {
    let labels = [
        "alertname": "Service\(number % nameCount)Latency", "instance": "web-\(number % 997):9100",
        "severity": number % 3 == 0 ? "critical" : "warning",
        "mountpoint": ["/var", "/var/log", "/data3", "/"][number % 4], "job": "node", "team": "storage-\(number % 11)",
        "zone": "z\(number % 3)",
    ]
    return Alert(
        labels: LabelSet(labels), annotations: LabelSet(["summary": "latency of service \(number % nameCount) is over its objective"]),
        startsAt: AlertTime("2026-11-22T19:01:58.659835242Z"))
}

let triggers = (0..<triggerCount).map(makeTrigger)
let alerts = (0..<alertCount).map(makeAlert)

/// One alert as the original judges it: every pattern is compiled anew.
func compilingLoop(_ alert: Alert) -> Int {
    triggers.count { trigger in
        guard let regexp = trigger.spec.sourceTemplate.prometheusAlertTemplate?.regexp else { return false }
        func matches(_ pattern: String, _ text: String?) -> Bool {
            // The group keeps RE2 the only judge, as Go's regexp is the only judge there.
            guard let text, let compiled = try? Pattern(compiling: "(?:\(pattern))") else { return false }
            return compiled.matches(text)
        }
        return matches(regexp.alertName ?? "", alert.name) && (regexp.labels ?? [:]).allSatisfy { matches($1, alert.labels[$0]) }
    }
}

func report(_ what: String, alerts: Int, seconds: Double) -> Double {
    let rate = Double(alerts) / seconds
    print("matching: \(what): \(Int(rate)) alerts/s, \(rounded(seconds * 1e6 / Double(alerts))) µs each")
    return rate
}

var compiled: [CompiledTrigger] = []
let compileSeconds = cpuSeconds { compiled = triggers.map(CompiledTrigger.init) }
var index = TriggerIndex([])
let indexSeconds = cpuSeconds { index = TriggerIndex(compiled) }
print("matching: \(triggerCount) triggers compiled in \(rounded(compileSeconds * 1e3)) ms, indexed in \(rounded(indexSeconds * 1e3)) ms")

var found = 0
let distinct = alerts.prefix(nameCount)
_ = report(
    "cold, \(nameCount) names never seen", alerts: distinct.count,
    seconds: cpuSeconds { for alert in distinct { found += index.matches(for: alert).count } })
_ = report(
    "first pass over all", alerts: alertCount, seconds: cpuSeconds { for alert in alerts { found += index.matches(for: alert).count } })
found = 0
let warm = report("warm", alerts: alertCount, seconds: cpuSeconds { for alert in alerts { found += index.matches(for: alert).count } })
print("matching: \(found) matches, \(rounded(Double(found) / Double(alertCount))) an alert")

let sample = Array(alerts.prefix(20))
var loopFound = 0
let loop = report(
    "reference, compiling each pattern per alert", alerts: sample.count,
    seconds: cpuSeconds { for alert in sample { loopFound += compilingLoop(alert) } })
var oneByOneFound = 0
let oneByOne = report(
    "reference, each compiled trigger by itself", alerts: sample.count,
    seconds: cpuSeconds { for alert in sample { oneByOneFound += compiled.count { $0.matches(alert) } } })
let indexFound = sample.reduce(0) { $0 + index.matches(for: $1).count }
precondition(loopFound == indexFound && oneByOneFound == indexFound, "the index and the references disagree")
print(
    "matching: warm is \(rounded(warm / loop)) times the compiling loop (at least 100), \(rounded(warm / oneByOne)) times the compiled one; at least 20000 alerts/s: \(warm >= 20_000)"
)

let webhook = makeWebhook(alerts)
var parsedCount = 0
let parseSeconds = cpuSeconds { parsedCount = (try? AlertPayload(webhook: webhook).alerts.count) ?? -1 }
precondition(parsedCount == alertCount, "the webhook does not parse")
print("matching: webhook of \(alertCount) alerts, \(webhook.count) bytes: parsed in \(rounded(parseSeconds * 1e3)) ms")
let routeSeconds = cpuSeconds {
    var plan = RoutingPlan(triggers: TriggerCatalog(compiled.map { ($0, 1) }), at: Timestamp(seconds: 1_795_000_000))
    plan.add(alerts)
    found = plan.pending.count
}
print("matching: \(found) intake items made of it in \(rounded(routeSeconds * 1e3)) ms, indexing included")

func makeWebhook(_ alerts: [Alert]) -> [UInt8] {
    func object(_ labels: LabelSet) -> String {
        "{" + labels.sorted.map { "\"\($0.name)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
    let list = alerts.map {
        "{\"status\":\"firing\",\"labels\":\(object($0.labels)),\"annotations\":\(object($0.annotations)),\"startsAt\":\"2026-11-22T19:01:58.659835242Z\","
            + "\"endsAt\":\"0001-01-01T00:00:00Z\",\"generatorURL\":\"http://prometheus.example:9090/graph?g0.expr=up\",\"fingerprint\":\"f12135b30a738748\"}"
    }
    return Array("{\"version\":\"4\",\"status\":\"firing\",\"receiver\":\"kubediag\",\"alerts\":[\(list.joined(separator: ","))]}".utf8)
}
