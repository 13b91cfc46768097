import Model
import RegularExpressions
import Testing
import TriggerRouterCore

/// The index, the overlay and their mixture find exactly what asking each trigger with a plain RE2 pattern finds.
@Suite struct MatchingPropertyTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func indexEqualsOneByOne(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let triggers = (0..<Int.random(in: 0...80, using: &random)).map { random.trigger("trigger-\($0)") }
        let index = TriggerIndex(triggers.map(CompiledTrigger.init))
        for _ in 0..<60 {
            let alert = random.alert()
            // Twice: the second answer comes from what is remembered of the texts.
            for _ in 0..<2 {
                #expect(index.matches(for: alert).map(\.name) == reference(triggers, alert), "seed \(seed), \(alert.labels)")
            }
        }
    }

    @Test(arguments: 100..<140 as Range<UInt64>)
    func catalogEqualsOneByOneThroughChanges(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var current: [String: Trigger] = [:]
        var catalog = TriggerCatalog()
        var recompilation: TriggerCatalog.Recompilation?
        for revision in 1...Int64(60) {
            let name = "trigger-\(Int.random(in: 0..<20, using: &random))"
            if Int.random(in: 0..<4, using: &random) == 0 {
                current[name] = nil
                catalog.remove(name, revision: revision)
            } else {
                let trigger = random.trigger(name)
                current[name] = trigger
                catalog.put(CompiledTrigger(trigger), revision: revision)
            }
            // A compilation that began some changes ago ends now.
            switch Int.random(in: 0..<6, using: &random) {
            case 0: recompilation = catalog.recompiled()
            case 1: if let done = recompilation { catalog.adopt(done) }
            default: break
            }
            if case 1 = Int.random(in: 0..<10, using: &random) { recompilation = nil }
            let alert = random.alert()
            #expect(
                catalog.matches(for: alert).map(\.name) == reference(Array(current.values), alert), "seed \(seed), revision \(revision)")
        }
        #expect(catalog.triggers.map(\.name) == current.keys.sorted())
    }

    /// What matches, straight from the templates: a group around each pattern keeps RE2 the only judge.
    private func reference(_ triggers: [Trigger], _ alert: Alert) -> [String] {
        func holds(_ pattern: String?, _ text: String?) -> Bool {
            guard let pattern else { return true }
            guard let text, let compiled = try? Pattern(compiling: "(?:\(pattern))") else { return false }
            return compiled.matches(text)
        }
        return triggers.filter { trigger in
            guard let template = trigger.spec.sourceTemplate.prometheusAlertTemplate else { return false }
            return holds(template.regexp.alertName, alert.labels["alertname"] ?? "")
                && (template.regexp.labels ?? [:]).allSatisfy { holds($1, alert.labels[$0]) }
                && (template.regexp.annotations ?? [:]).allSatisfy { holds($1, alert.annotations[$0]) }
                && holds(template.regexp.generatorURL, alert.generatorURL)
        }.map(\.name).sorted()
    }
}

extension SplitMix {
    private static let words = [
        "", "a", "ab", "b", "A", "node", "Node", "NodeDisk", "NodeDiskFull", "/var", "/var/log", "café", "cafe\u{301}", "\u{FFFD}",
        "x\u{0}y", "line\nline",
        "web-07:9100", ".*", "a.b", "$", "10.0.0.1",
    ]
    private static let patterns = [
        "", "^$", "a", "^a$", "^a", "a$", "^ab$", "(?i)^NODE", "^(?i)a$", "^NodeDiskFull$", "^Node(Disk)?Full?$", "Disk", "^/var$",
        "^/var(/.*)?$", ".*", ".+",
        "^caf\u{E9}$", "caf", "^cafe\u{301}$", "^.$", "^a\\.b$", "a.b", "\\.", "^\\$$", "\\x00", "^x\\x00y$", "(?s)^line.line$",
        "^line.line$",
        "(?m)^line$", "^web-\\d+:9100$", "[0-9]+", "^10\\.0\\.0\\.1$", "a|^b$", "\\bvar\\b", "\u{FFFD}", "^\\.\\*$", "^node$|^Node$",
    ]
    private static let names = ["instance", "mountpoint", "severity", "alertname"]

    mutating func trigger(_ name: String) -> Trigger {
        let labelCount = Int.random(in: 0...2, using: &self)
        var labels: [String: String] = [:]
        for _ in 0..<labelCount { labels[pick(Self.names)] = pick(Self.patterns) }
        let hasName = Int.random(in: 0..<4, using: &self) > 0
        let alertName = hasName ? pick(Self.patterns) : nil
        let annotation = Int.random(in: 0..<8, using: &self) == 0 ? pick(Self.patterns) : nil
        let isOther = Int.random(in: 0..<12, using: &self) == 0
        return makeTrigger(name, alertName: alertName, labels: labels.isEmpty ? nil : labels) { trigger in
            if let annotation { trigger.spec.sourceTemplate.prometheusAlertTemplate?.regexp.annotations = ["summary": annotation] }
            if isOther { trigger.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "* * * * *")) }
        }
    }

    mutating func alert() -> Alert {
        var labels: [String: String] = [:]
        for name in Self.names where Int.random(in: 0..<4, using: &self) > 0 { labels[name] = pick(Self.words) }
        let annotations = Bool.random(using: &self) ? ["summary": pick(Self.words)] : [:]
        return Alert(labels: LabelSet(labels), annotations: LabelSet(annotations), generatorURL: pick(Self.words))
    }

    private mutating func pick(_ list: [String]) -> String {
        list.randomElement(using: &self) ?? ""
    }
}
