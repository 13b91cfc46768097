import Model

/// Decisions about alerts as lines of text.
enum AlertText {
    private static let labelsShownMax = 6

    /// `09:12 alertmanager@10.0.0.5 NodeFilesystem…{mountpoint=/data}`, then a line for each trigger.
    static func lines(_ decision: Decision) -> [String] {
        let sender = "\(decision.receiver)@\(host(decision.peer))"
        var lines = ["\(clock(decision.time)) \(sender) \(title(decision.alertname, decision.labels))"]
        let width = (decision.triggers.map(\.trigger) + (decision.misses ?? []).map(\.trigger)).map(\.count).max() ?? 0
        for outcome in decision.triggers { lines.append("  \(padded(outcome.trigger, width))  \(text(outcome))") }
        // Where too much came at once nobody looked then.
        let isOfNow = decision.missesTime.map { $0 != decision.time } ?? false
        for miss in decision.misses ?? [] {
            lines.append("  \(padded(miss.trigger, width))  NO MATCH  \(miss.message)\(isOfNow ? "  (as the trigger is now)" : "")")
        }
        if let omitted = decision.triggersOmitted { lines.append("  and \(omitted) more that matched") }
        if let omitted = decision.missesOmitted { lines.append("  and \(omitted) more that do not match") }
        if let omitted = decision.labelsOmitted {
            lines.append("  and \(omitted) more \(omitted == 1 ? "label" : "labels"), too much to be kept")
        }
        if decision.triggers.isEmpty, (decision.misses ?? []).isEmpty, decision.missesOmitted == nil {
            lines.append(decision.outcome == .noMatch ? "  no trigger matches" : "  \(word(decision.outcome))")
        }
        return lines
    }

    static func lines(_ alert: TriggerTestAnswer.TestedAlert) -> [String] {
        let status = alert.status == "firing" ? "" : " (\(alert.status))"
        var lines = ["\(title(alert.alertname, alert.labels))\(status)"]
        let width = (alert.matches.map(\.trigger) + alert.misses.map(\.trigger)).map(\.count).max() ?? 0
        for match in alert.matches { lines.append("  \(padded(match.trigger, width))  \(text(match))") }
        for miss in alert.misses { lines.append("  \(padded(miss.trigger, width))  NO MATCH  \(miss.message)") }
        if alert.missesOmitted > 0 { lines.append("  and \(alert.missesOmitted) more that do not match") }
        if alert.matches.isEmpty, alert.misses.isEmpty { lines.append("  there are no triggers: kubediag apply -f FILE") }
        return lines
    }

    private static func text(_ match: TriggerTestAnswer.TestedMatch) -> String {
        if let outcome = match.outcome { return "MATCH, but \(word(outcome))\(match.message.map { ": \($0)" } ?? "")" }
        guard let item = match.item else { return "MATCH" }
        let target = item.nodeName ?? item.podReference.map { "pod \($0.namespace)/\($0.name)" } ?? "?"
        let parameters = (item.parameters ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let note = match.message.map { "  (\($0))" } ?? ""
        return "MATCH  \(item.operationSet) on \(target)\(parameters.isEmpty ? "" : " with \(parameters)")\(note)"
    }

    private static func text(_ outcome: TriggerOutcome) -> String {
        let name = outcome.diagnosis?.name
        let note = outcome.message.map { "  (\($0))" } ?? ""
        switch outcome.outcome {
        case .created: return "CREATED \(name ?? "")\(note)"
        case .duplicate:
            let until = outcome.until.map { " until \(clock($0))" } ?? ""
            return "DUPLICATE of \(name ?? "an earlier one")\(until) → kubediag rerun \(name ?? "NAME")\(note)"
        default:
            let why = [outcome.reason, outcome.message].compactMap { $0 }.joined(separator: ": ")
            return "\(word(outcome.outcome).uppercased())\(why.isEmpty ? "" : "  \(why)")"
        }
    }

    static func word(_ outcome: AlertOutcome) -> String {
        switch outcome {
        case .created: "created"
        case .duplicate: "duplicate"
        case .suppressed: "suppressed"
        case .noMatch: "no match"
        case .resolved: "resolved"
        case .noTarget: "no target"
        case .suspended: "suspended"
        case .failed: "failed"
        }
    }

    /// The alert's name with the labels that tell it from others of that name.
    static func title(_ alertname: String, _ labels: [String: String]) -> String {
        let others = labels.filter { $0.key != "alertname" }.sorted { $0.key < $1.key }
        let shown = others.prefix(labelsShownMax).map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        let name = alertname.isEmpty ? "(no alertname)" : alertname
        return others.isEmpty ? name : "\(name){\(shown)\(others.count > labelsShownMax ? ", …" : "")}"
    }

    /// Hour and minute in UTC, as the logs have them.
    static func clock(_ time: Timestamp) -> String {
        let text = time.wholeSeconds.description
        return "\(text.dropFirst(11).prefix(5))Z"
    }

    private static func host(_ peer: String) -> String {
        guard let end = peer.lastIndex(of: ":") else { return peer }
        return String(peer[..<end])
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
