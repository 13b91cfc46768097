/// What became of an alert, or of its match with one trigger.
public enum AlertOutcome: String, Codable, Sendable, Hashable, CaseIterable {
    /// A diagnosis was stored.
    case created
    /// One is stored already.
    case duplicate
    /// Held back: it flaps, or the trigger's rate is used up.
    case suppressed
    /// No trigger matches.
    case noMatch
    /// The alert has ended.
    case resolved
    /// The alert lacks the label that names the target.
    case noTarget
    /// The trigger is suspended.
    case suspended
    /// Can't become a diagnosis as it is, or could not be stored now; the reason says which.
    case failed
}

/// A diagnosis by its name.
public struct DiagnosisReference: Codable, Sendable, Hashable {
    public var namespace: String
    public var name: String
    public var uid: UID?

    public init(namespace: String, name: String, uid: UID? = nil) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }
}

/// What came of one trigger that matched an alert.
public struct TriggerOutcome: Codable, Sendable, Hashable {
    public var trigger: String
    public var outcome: AlertOutcome
    /// One CamelCase word, such as `Flapping`.
    public var reason: String?
    /// A sentence for a person.
    public var message: String?
    public var diagnosis: DiagnosisReference?
    /// Until when a repeat stays a duplicate.
    public var until: Timestamp?

    public init(
        trigger: String, outcome: AlertOutcome, reason: String? = nil, message: String? = nil, diagnosis: DiagnosisReference? = nil,
        until: Timestamp? = nil
    ) {
        self.trigger = trigger
        self.outcome = outcome
        self.reason = reason
        self.message = message
        self.diagnosis = diagnosis
        self.until = until
    }
}

/// The first field in which an alert differs from what a trigger wants.
public struct TriggerMiss: Codable, Sendable, Hashable {
    public var trigger: String
    /// Below the template's `regexp`: `labels.mountpoint`; nil where the trigger listens to another source or does not compile.
    public var field: String?
    /// What the alert has there, cut to 200 characters; nil where it has nothing.
    public var text: String?
    public var pattern: String?
    /// The whole in one line: `labels.mountpoint "/data" !~ ^/var$`.
    public var message: String

    public init(trigger: String, field: String? = nil, text: String? = nil, pattern: String? = nil, message: String) {
        self.trigger = trigger
        self.field = field
        self.text = text
        self.pattern = pattern
        self.message = message
    }
}

/// One alert in a receiver's answer.
public struct AlertAnswer: Codable, Sendable, Hashable {
    public var alertname: String
    /// The most telling one of `triggers`, or what became of an alert that none matched.
    public var outcome: AlertOutcome
    /// Of every trigger that matched, by name.
    public var triggers: [TriggerOutcome]

    public init(alertname: String, outcome: AlertOutcome, triggers: [TriggerOutcome]) {
        self.alertname = alertname
        self.outcome = outcome
        self.triggers = triggers
    }
}

/// What `POST /api/v1/receivers/alertmanager` and `POST /api/v2/alerts` at the trigger-router answer with 200.
public struct ReceiverAnswer: Codable, Sendable, Hashable {
    /// In the order of the request.
    public var alerts: [AlertAnswer]
    /// By outcome: one for each trigger that matched, and one for each alert that none matched.
    public var totals: [String: Int]
    /// How many alerts Alertmanager left out of the webhook.
    public var truncatedAlerts: Int64?
    /// Items of the request that could not be used, kept as dead letters; nil where there were none.
    public var unusable: [UnusableItem]?

    public init(alerts: [AlertAnswer], totals: [String: Int], truncatedAlerts: Int64? = nil, unusable: [UnusableItem]? = nil) {
        self.alerts = alerts
        self.totals = totals
        self.truncatedAlerts = truncatedAlerts
        self.unusable = unusable
    }
}

/// What the trigger-router decided about one alert, event or scheduled time.
public struct Decision: Codable, Sendable, Hashable {
    public var time: Timestamp
    /// What brought it: `alertmanager`, `prometheus`, `kubernetes-events`, `common-events`, `pagerduty`, `cron`, …
    public var receiver: String
    /// `address:port` of the sender; empty for what comes from within.
    public var peer: String
    public var alertname: String
    public var labels: [String: String]
    public var startsAt: Timestamp?
    public var outcome: AlertOutcome
    public var triggers: [TriggerOutcome]
    /// How many further triggers matched than `triggers` names; nil where it names all.
    public var triggersOmitted: Int?
    /// How many labels were too many or too long to be kept; nil where all were.
    public var labelsOmitted: Int?
    /// SHA-256 over all labels, in hexadecimal.
    public var fingerprint: String?
    /// With `explain=true`: the triggers that came nearest without matching.
    public var misses: [TriggerMiss]?
    /// With `misses`: how many further triggers of the source did not match; nil for none.
    public var missesOmitted: Int?
    /// With `misses`: as of when the triggers were looked at; the decision's own time, or now where too much came then.
    public var missesTime: Timestamp?
    public var traceID: String?

    public init(
        time: Timestamp, receiver: String, peer: String, alertname: String, labels: [String: String], startsAt: Timestamp?,
        outcome: AlertOutcome, triggers: [TriggerOutcome], misses: [TriggerMiss]? = nil, traceID: String? = nil
    ) {
        self.time = time
        self.receiver = receiver
        self.peer = peer
        self.alertname = alertname
        self.labels = labels
        self.startsAt = startsAt
        self.outcome = outcome
        self.triggers = triggers
        self.misses = misses
        self.traceID = traceID
    }
}

/// Decisions that the store refused to keep, over restarts.
public struct DecisionLoss: Codable, Sendable, Hashable {
    public var count: Int
    /// When that happened last.
    public var time: Timestamp

    public init(count: Int, time: Timestamp) {
        self.count = count
        self.time = time
    }
}

/// The last request that a receiver took, whatever came of it.
public struct WebhookRecord: Codable, Sendable, Hashable {
    public var time: Timestamp
    public var receiver: String
    public var peer: String
    public var alertCount: Int
    /// The HTTP status that it was answered with.
    public var status: Int
    /// What was wrong with it; nil for a 2xx.
    public var message: String?

    public init(time: Timestamp, receiver: String, peer: String, alertCount: Int, status: Int, message: String? = nil) {
        self.time = time
        self.receiver = receiver
        self.peer = peer
        self.alertCount = alertCount
        self.status = status
        self.message = message
    }
}

/// `GET /api/v1/decisions` at the trigger-router, with `source`, `alertname`, `fingerprint`, `label`, `trigger`, `outcome`, `reason`, `since`,
/// `until`, `limit`, `continue` and `explain`.
public struct DecisionList: Codable, Sendable, Hashable {
    /// Newest first.
    public var items: [Decision]
    /// Goes into `continue` for the next page; nil on the last.
    public var continuation: String?
    /// Nil where no request ever came.
    public var lastWebhook: WebhookRecord?
    /// Since when no decision is missing: the first start on this data, the oldest decision where older ones had to go, or the last loss.
    public var keptSince: Timestamp
    /// What could not be kept; nil for nothing.
    public var lost: DecisionLoss?

    enum CodingKeys: String, CodingKey {
        case items, lastWebhook, keptSince, lost
        case continuation = "continue"
    }

    public init(
        items: [Decision], continuation: String? = nil, lastWebhook: WebhookRecord?, keptSince: Timestamp, lost: DecisionLoss? = nil
    ) {
        self.items = items
        self.continuation = continuation
        self.lastWebhook = lastWebhook
        self.keptSince = keptSince
        self.lost = lost
    }
}

/// `POST /api/v1/triggers/test` at the trigger-router answers this; the request is a webhook, an array of alerts, or one alert. Nothing is
/// created.
public struct TriggerTestAnswer: Codable, Sendable, Hashable {
    public var alerts: [TestedAlert]

    public init(alerts: [TestedAlert]) {
        self.alerts = alerts
    }

    public struct TestedAlert: Codable, Sendable, Hashable {
        public var alertname: String
        public var labels: [String: String]
        /// `firing` or `resolved`.
        public var status: String
        /// Of every trigger that matches, by name.
        public var matches: [TestedMatch]
        /// Of triggers that do not, those that come nearest first.
        public var misses: [TriggerMiss]
        /// How many further misses were left out.
        public var missesOmitted: Int

        public init(
            alertname: String, labels: [String: String], status: String, matches: [TestedMatch], misses: [TriggerMiss], missesOmitted: Int
        ) {
            self.alertname = alertname
            self.labels = labels
            self.status = status
            self.matches = matches
            self.misses = misses
            self.missesOmitted = missesOmitted
        }
    }

    public struct TestedMatch: Codable, Sendable, Hashable {
        public var trigger: String
        /// `noTarget`, `suspended` or `resolved` where nothing would be asked of the scheduler, `duplicate` where an earlier alert of the request
        /// asks already; nil where `item` would be handed to it.
        public var outcome: AlertOutcome?
        public var message: String?
        /// What the scheduler would be asked to store; whether that is new only the scheduler knows.
        public var item: IntakeItem?

        public init(trigger: String, outcome: AlertOutcome? = nil, message: String? = nil, item: IntakeItem? = nil) {
            self.trigger = trigger
            self.outcome = outcome
            self.message = message
            self.item = item
        }
    }
}
