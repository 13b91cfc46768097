/// `POST /api/v1/intake` at the scheduler: matches of triggers, each answered on its own.
public struct IntakeRequest: Codable, Sendable {
    public static let itemsMax = 1000

    public var items: [IntakeItem]

    public init(items: [IntakeItem]) { self.items = items }
}

/// One match of one trigger.
public struct IntakeItem: Codable, Sendable, Hashable {
    public var trigger: String
    public var triggerUID: UID
    /// SHA-256 of the identity of the source, in hexadecimal.
    public var fingerprint: String
    /// When the source began; absent stays absent, it never becomes now.
    public var startsAt: Timestamp?
    /// True when the source ended: nothing is created, unstarted diagnoses are cancelled where `onResolved` says so.
    public var resolved: Bool?
    public var onResolved: OnResolved?
    public var namespace: String
    public var operationSet: String
    public var nodeName: String?
    public var podReference: PodReference?
    public var parameters: [String: String]?
    public var repeatIntervalSeconds: Int
    public var refireMinSeconds: Int
    public var ratePerHour: Int
    public var ratePerTargetPerHour: Int?
    /// Name of the alert or event.
    public var sourceName: String?
    /// Labels of the alert, kept as an annotation.
    public var sourceLabels: [String: String]?
    public var traceparent: String?

    public init(
        trigger: String, triggerUID: UID, fingerprint: String, startsAt: Timestamp? = nil, namespace: String, operationSet: String,
        nodeName: String? = nil, podReference: PodReference? = nil, parameters: [String: String]? = nil,
        repeatIntervalSeconds: Int = TriggerSpec.repeatIntervalSecondsDefault, refireMinSeconds: Int = TriggerSpec.refireMinSecondsDefault,
        ratePerHour: Int = RateLimit.perHourDefault
    ) {
        self.trigger = trigger
        self.triggerUID = triggerUID
        self.fingerprint = fingerprint
        self.startsAt = startsAt
        self.namespace = namespace
        self.operationSet = operationSet
        self.nodeName = nodeName
        self.podReference = podReference
        self.parameters = parameters
        self.repeatIntervalSeconds = repeatIntervalSeconds
        self.refireMinSeconds = refireMinSeconds
        self.ratePerHour = ratePerHour
    }
}

public struct IntakeResponse: Codable, Sendable {
    /// Of the scheduler's store: what a router remembers as stored holds for this store alone.
    public var storeID: String
    /// In the order of the items.
    public var results: [IntakeResult]

    public init(storeID: String, results: [IntakeResult]) {
        self.storeID = storeID
        self.results = results
    }
}

public struct IntakeResult: Codable, Sendable, Hashable {
    public enum Outcome: String, Codable, Sendable, CaseIterable {
        case created
        /// Stored already; `until` says how long a repeat stays one.
        case duplicate
        case suppressed
        /// Can never be stored as it is; not to be sent again.
        case rejected
        /// A resolved source that was taken note of.
        case resolved
        /// Could not be stored now; to be sent again.
        case unavailable
    }

    public var outcome: Outcome
    public var reason: String?
    public var message: String?
    /// The diagnosis that was created, or that it duplicates.
    public var namespace: String?
    public var name: String?
    public var uid: UID?
    public var until: Timestamp?

    public init(
        outcome: Outcome, reason: String? = nil, message: String? = nil, namespace: String? = nil, name: String? = nil, uid: UID? = nil,
        until: Timestamp? = nil
    ) {
        self.outcome = outcome
        self.reason = reason
        self.message = message
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.until = until
    }
}
