import EventRecording
import Model
import TriggerRouterCore

/// Tells in events what triggers did, and why they did not.
struct TriggerEvents: Sendable {
    /// Results of one request that are told at most: behind a flood of alerts nobody reads them one by one.
    static let resultsMax = 200

    let recorder: EventRecorder
    let triggers: LiveTriggers

    /// Tells what came of a request's alerts: of those that triggers matched. That no trigger matched happens to no object.
    func tell(_ alerts: [RoutingPlan.RoutedAlert]) {
        guard let snapshot = triggers.snapshot else { return }
        let results = alerts.lazy.flatMap { alert in alert.results.lazy.map { (alert.alert, $0) } }
        for (alert, result) in results.prefix(Self.resultsMax) { tell(result, of: alert, snapshot) }
    }

    private func tell(_ result: TriggerOutcome, of alert: Alert, _ snapshot: TriggerCatalog) {
        // That another router was first with a scheduled time is as it should be.
        if alert.origin == .cron, result.outcome == .duplicate { return }
        guard let told = TriggerNote(result, of: alert) else { return }
        if told.isAboutDiagnosis {
            guard let diagnosis = result.diagnosis else { return }
            let object = ObjectReference(
                kind: DiagnosisSpec.names.kind, namespace: diagnosis.namespace, name: diagnosis.name, uid: diagnosis.uid,
                apiVersion: API.groupVersion)
            recorder.record(object, told.type, told.reason, told.message)
        } else if let trigger = snapshot[result.trigger]?.trigger {
            recorder.record(ObjectReference(trigger), told.type, told.reason, told.message)
        }
    }

    /// A time of a trigger's schedule went by.
    func tell(missed result: TriggerOutcome) {
        guard let trigger = triggers.snapshot?[result.trigger]?.trigger else { return }
        recorder.record(ObjectReference(trigger), .warning, result.reason ?? "Missed", result.message ?? "a time of the schedule went by")
    }

    /// A trigger has come into use, or gone out of it.
    func tell(_ trigger: Trigger, became readiness: TriggerReadiness) {
        recorder.record(
            ObjectReference(trigger), readiness.isReady || readiness.reason == TriggerReadiness.suspendedReason ? .normal : .warning,
            readiness.isReady ? "Ready" : "NotReady", "\(readiness.reason): \(readiness.message)")
    }
}
