import JSONCoding
import Model
import TriggerRouterCore

extension FuzzTarget {
    /// Kubernetes Events, common events and PagerDuty's enqueue requests. A common event that is taken can be kept as an object.
    static let events = FuzzTarget(
        "events", bytesMax: 4096,
        words: [
            "\"event_action\"", "\"trigger\"", "\"resolve\"", "\"dedup_key\"", "\"payload\"", "\"summary\"", "\"source\"", "\"severity\"",
            "\"critical\"", "\"custom_details\"", "\"timestamp\"", "\"involvedObject\"", "\"regarding\"", "\"items\"", "\"series\"",
        ]
    ) { input in
        let document: JSON
        do { document = try JSON(parsing: input) } catch { return }
        do {
            for event in try KubernetesEvent.events(in: document).events { _ = (event.alert.name, Fingerprint(event.alert.labels)) }
        } catch is EventFault {}
        for isEnqueue in [false, true] {
            let report: CommonEventReport
            do {
                report = isEnqueue ? try CommonEventReport(enqueue: document) : try CommonEventReport(commonEvent: document)
            } catch { continue }
            guard let spec = report.payload else { continue }
            let alert = spec.alert(startsAt: spec.timestamp, status: .firing)
            _ = (spec.identity, CommonEventSpec.identityLabels(of: alert))
            var findings = SchemaFindings()
            let kept = try JSON(encoding: spec)
            let checked = CommonEventSpec.specSchema.check(kept, at: "spec", into: &findings)
            try expect(findings.faults.isEmpty && findings.unknownFields.isEmpty, "taken, but not to be kept: \(findings)")
            try expect(try checked.decode(CommonEventSpec.self) == spec, "kept as another: \(checked)")
        }
    }
}
