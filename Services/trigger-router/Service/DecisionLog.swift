import Model
import Synchronization
import TriggerRouterCore

/// The decisions of this process, for `kubediag why`.
final class DecisionLog: Sendable {
    private struct State: Sendable {
        var ring = DecisionRing()
        var lastWebhook: WebhookRecord?
    }

    private let state = Mutex(State())
    let keptSince: Timestamp

    init(now: Timestamp) {
        keptSince = now
    }

    /// Keeps what was decided about the alerts of one request: the last ones, as many as are kept at all.
    func record(_ alerts: [RoutingPlan.RoutedAlert], webhook: WebhookRecord, traceID: String?) {
        state.withLock { state in
            for alert in alerts.suffix(DecisionRing.decisionsMax) {
                state.ring.record(alert, receiver: webhook.receiver, peer: webhook.peer, traceID: traceID, at: webhook.time)
            }
            state.lastWebhook = webhook
        }
    }

    /// The newest ones that `isWanted`, and the last request whatever came of it.
    func newest(_ limit: Int, where isWanted: (Decision) -> Bool) -> (entries: [DecisionRing.Entry], lastWebhook: WebhookRecord?) {
        state.withLock { ($0.ring.newest(limit, where: isWanted), $0.lastWebhook) }
    }
}
