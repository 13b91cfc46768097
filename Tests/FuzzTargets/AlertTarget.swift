import JSONCoding
import Model
import TriggerRouterCore

extension FuzzTarget {
    /// What Alertmanager and Prometheus post. The reader in place has the alerts and labels that are in the document as a tree.
    static let alerts = FuzzTarget(
        "alerts", bytesMax: 4096,
        words: [
            "\"alerts\"", "\"labels\"", "\"annotations\"", "\"startsAt\"", "\"endsAt\"", "\"version\":\"4\"", "\"status\"", "\"firing\"",
        ]
    ) { input in
        for form in AlertForm.allCases {
            let payload: AlertPayload
            do { payload = try form.read(input) } catch { continue }
            for alert in payload.alerts {
                _ = (alert.name, alert.status(at: ServedObject.now), Fingerprint(alert.labels))
            }
            try compareAlerts(payload, input)
        }
    }

    private static func compareAlerts(_ payload: AlertPayload, _ input: [UInt8]) throws {
        let document: JSON
        // The tree is stricter: keys that stand twice where the alerts' reader does not look are refused.
        do { document = try JSON(parsing: input) } catch { return }
        let items = document["alerts"]?.arrayValue ?? document.arrayValue ?? [document]
        try expect(items.count == payload.alerts.count, "\(payload.alerts.count) alerts of \(items.count)")
        for (alert, item) in zip(payload.alerts, items) {
            let labels = Dictionary(alert.labels.sorted.map { ($0.name, JSON.string($0.value)) }, uniquingKeysWith: { $1 })
            try expect(item["labels"] == .object(labels), "the labels are \(labels), not \(String(describing: item["labels"]))")
        }
    }
}

private enum AlertForm: CaseIterable {
    case webhook, posted, any

    func read(_ input: [UInt8]) throws(AlertPayloadError) -> AlertPayload {
        switch self {
        case .webhook: try AlertPayload(webhook: input)
        case .posted: try AlertPayload(postedAlerts: input)
        case .any: try AlertPayload(anyOf: input)
        }
    }
}
