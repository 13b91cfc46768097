import JSONCoding
import Model
import TestSupport
import Testing

/// The alerts of the rule sets start what the README says, and nothing else does.
@Suite(.serialized) struct RuleSetTests {
    @Test func everyAlertStartsItsPlaybook() async throws {
        try await Cluster.withPlaybooks { cluster in
            let alerts = RuleSetAlerts.all.flatMap { rules in rules.names.map { (rules, $0) } }
            let body = JSON.array(alerts.map { rules, name in TestAlert(name, instance: nil, rules.labels).json })
            var tested: [TriggerTestAnswer.TestedAlert] = []
            let areKnown = try await eventually {
                let response = try await cluster.send("router", .post, "/api/v1/triggers/test", body.encoded())
                tested = try JSON(parsing: response.body).decode(TriggerTestAnswer.self).alerts
                return tested.count == alerts.count && tested.allSatisfy { !$0.matches.isEmpty }
            }
            #expect(areKnown, "no trigger for \(tested.filter { $0.matches.isEmpty }.map(\.alertname))")
            for ((rules, name), answer) in zip(alerts, tested) {
                #expect(answer.matches.count == 1, "\(name): \(answer.matches.map(\.trigger))")
                guard let match = answer.matches.first else { continue }
                #expect(match.outcome != .noTarget, "\(name): \(match.message ?? "")")
                guard let item = match.item else { continue }
                #expect(item.operationSet == rules.playbook, "\(name)")
                #expect(item.parameters ?? [:] == rules.parameters, "\(name)")
                switch rules.target {
                case .node(let node): #expect(item.nodeName == node && item.podReference == nil, "\(name): \(item)")
                case .pod(let container):
                    #expect(item.nodeName == nil, "\(name): \(item)")
                    #expect(item.podReference == PodReference(namespace: "shop", name: "cart-0", container: container), "\(name)")
                }
            }
        }
    }

    /// Nothing is in a pattern that no rule set has.
    @Test func everyPatternIsOfARuleSet() throws {
        for file in try Playbooks.files {
            let key = "        alertName: "
            let patterns = try Playbooks.documents(file).flatMap { $0.text.split(separator: "\n") }.filter { $0.hasPrefix(key) }
                .map { String($0.dropFirst(key.count)) }
            let meant = Set(patterns.flatMap(Self.expansions))
            let known = Set(RuleSetAlerts.all.filter { "deploy/playbooks/\($0.playbook).yaml" == file }.flatMap(\.names))
            #expect(meant == known, "\(file): \(meant.symmetricDifference(known).sorted())")
        }
    }

    /// The texts that a pattern of words, groups and alternatives stands for: `^a(b|c)$` → `ab`, `ac`.
    private static func expansions(_ pattern: String) -> [String] {
        var rest = pattern.drop { $0 == "^" }.prefix { $0 != "$" }
        return alternatives(&rest)
    }

    private static func alternatives(_ rest: inout Substring) -> [String] {
        var all: [String] = []
        var words = [""]
        while let next = rest.popFirst(), next != ")" {
            switch next {
            case "|":
                all += words
                words = [""]
            case "(":
                let group = alternatives(&rest)
                words = words.flatMap { word in group.map { word + $0 } }
            default: words = words.map { $0 + String(next) }
            }
        }
        return all + words
    }
}
