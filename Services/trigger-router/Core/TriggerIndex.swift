import RegularExpressions

/// All triggers, compiled so that one pass over an alert finds exactly those that match it.
///
/// Each trigger is filed under one of its conditions: an anchored literal before a pattern, the name before a label, and what few share
/// before what many share. The pass collects who is filed under the alert's texts and checks their other conditions. Who has nothing to be filed under is
/// checked each time.
public struct TriggerIndex: Sendable {
    /// By name.
    public let triggers: [CompiledTrigger]
    /// How many triggers listen to alerts of an origin.
    let listening: [Alert.Origin: Int]
    private let places: [String: Int]
    private let byName: FieldIndex
    private let byLabel: [String: FieldIndex]
    /// Places of those that are filed nowhere.
    private let unfiled: [Int]

    /// Compiles the index. Takes some 15 µs a trigger whose pattern is no literal.
    public init(_ triggers: some Sequence<CompiledTrigger>) {
        let triggers = triggers.sorted { $0.name < $1.name }
        var named: [(FieldIndex.Entry, Pattern)] = []
        var labelled: [String: [(FieldIndex.Entry, Pattern)]] = [:]
        var unfiled: [Int] = []
        var crowds: [Crowd: Int] = [:]
        var listening: [Alert.Origin: Int] = [:]
        for condition in triggers.lazy.flatMap(\.conditions) { crowds[Crowd(condition), default: 0] += 1 }
        for (place, trigger) in triggers.enumerated() {
            guard case .matching(let origin, _) = trigger.source else { continue }
            listening[origin, default: 0] += 1
            guard let condition = Self.filingCondition(of: trigger.conditions, crowds: crowds) else {
                unfiled.append(place)
                continue
            }
            let entry = FieldIndex.Entry(trigger: place, condition: condition)
            let filed = trigger.conditions[condition]
            switch filed.field {
            case .label(let name), .member(let name): labelled[name, default: []].append((entry, filed.pattern))
            default: named.append((entry, filed.pattern))
            }
        }
        self.triggers = triggers
        self.listening = listening
        places = Dictionary(triggers.enumerated().lazy.map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.unfiled = unfiled
        byName = FieldIndex(named)
        byLabel = labelled.mapValues { FieldIndex($0) }
    }

    /// The condition under which a trigger is filed: the one that is likely to let the fewest through; nil where none can be used.
    private static func filingCondition(of conditions: [CompiledTrigger.Condition], crowds: [Crowd: Int]) -> Int? {
        let costs = conditions.enumerated().compactMap { index, condition in
            cost(of: condition).map { (index: index, cost: $0 + (crowds[Crowd(condition)] ?? 0)) }
        }
        return costs.min { $0.cost < $1.cost }?.index
    }

    /// What a pass pays for a condition beside those who share it; a label has many more distinct texts than the name.
    private static func cost(of condition: CompiledTrigger.Condition) -> Int? {
        switch (condition.field, condition.pattern.form) {
        case (.alertName, .exact), (.label, .exact), (.member, .exact): 0
        case (.alertName, _): 8
        // Free text, hardly ever seen twice: better than asking every trigger, worse than anything else.
        case (.member("message"), _): 1_000_000
        case (.label, _), (.member, _): 16
        case (.annotation, _), (.startsAt, _), (.endsAt, _), (.generatorURL, _): nil
        }
    }

    /// Triggers that share a condition come up together.
    private struct Crowd: Hashable {
        let field: AlertField
        let source: TextKey

        init(_ condition: CompiledTrigger.Condition) {
            field = condition.field
            source = TextKey(condition.pattern.source)
        }
    }

    public subscript(name: String) -> CompiledTrigger? {
        places[name].map { triggers[$0] }
    }

    /// The triggers that match, by name: exactly those whose own `matches` says so.
    public func matches(for alert: Alert) -> [CompiledTrigger] {
        var found: [Int] = []
        func check(_ entry: FieldIndex.Entry) {
            if triggers[entry.trigger].matches(alert, knowing: entry.condition) { found.append(entry.trigger) }
        }
        byName.forEachMatch(of: alert.name, check)
        if !byLabel.isEmpty {
            for label in alert.labels.sorted { byLabel[label.name]?.forEachMatch(of: label.value, check) }
        }
        for place in unfiled where triggers[place].matches(alert) { found.append(place) }
        found.sort()
        return found.map { triggers[$0] }
    }
}
