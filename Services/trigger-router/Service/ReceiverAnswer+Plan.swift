import JSONCoding
import Model
import TriggerRouterCore

extension ReceiverAnswer {
    init(_ plan: RoutingPlan, truncatedCount: Int64, unusable: [UnusableItem] = []) {
        self.init(
            alerts: plan.alerts.map { AlertAnswer(alertname: $0.alert.name, outcome: $0.outcome, triggers: $0.results) },
            totals: Dictionary(uniqueKeysWithValues: plan.totals.map { ($0.rawValue, $1) }),
            truncatedAlerts: truncatedCount > 0 ? truncatedCount : nil, unusable: unusable.isEmpty ? nil : unusable)
    }

    /// As `Codable` writes it, without its detours: an answer may have ten thousand alerts.
    var encoded: JSON {
        var members: [String: JSON] = [
            "alerts": .array(
                alerts.map { alert in
                    .object([
                        "alertname": .string(alert.alertname), "outcome": .string(alert.outcome.rawValue),
                        "triggers": .array(alert.triggers.map(Self.encoded)),
                    ])
                }),
            "totals": .object(totals.mapValues { .integer(Int64($0)) }),
        ]
        if let truncatedAlerts { members["truncatedAlerts"] = .integer(truncatedAlerts) }
        if let unusable {
            members["unusable"] = .array(
                unusable.map {
                    .object(["index": .integer(Int64($0.index)), "message": .string($0.message), "deadLetter": .string($0.deadLetter)])
                })
        }
        return .object(members)
    }

    private static func encoded(_ trigger: TriggerOutcome) -> JSON {
        var members: [String: JSON] = ["trigger": .string(trigger.trigger), "outcome": .string(trigger.outcome.rawValue)]
        members["reason"] = trigger.reason.map(JSON.string)
        members["message"] = trigger.message.map(JSON.string)
        members["until"] = trigger.until.map { .string($0.description) }
        if let diagnosis = trigger.diagnosis {
            var reference: [String: JSON] = ["namespace": .string(diagnosis.namespace), "name": .string(diagnosis.name)]
            reference["uid"] = diagnosis.uid.map { .string($0.rawValue) }
            members["diagnosis"] = .object(reference)
        }
        return .object(members)
    }
}
