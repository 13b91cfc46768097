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
    /// The diagnosis whole, where the source asks for it by itself and no trigger matched: it takes the place of `operationSet`, `nodeName`,
    /// `podReference` and `parameters`. Trigger and fingerprint alone make its name, so there is never another one of them.
    public var requested: RequestedDiagnosis?

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

/// A diagnosis that a source asks for as it is, such as a message of Kafka.
public struct RequestedDiagnosis: Codable, Sendable, Hashable {
    /// What its name begins with; the source's own where absent.
    public var namePrefix: String?
    public var labels: [String: String]?
    public var annotations: [String: String]?
    public var spec: DiagnosisSpec

    public init(
        namePrefix: String? = nil, labels: [String: String]? = nil, annotations: [String: String]? = nil, spec: DiagnosisSpec
    ) {
        self.namePrefix = namePrefix
        self.labels = labels
        self.annotations = annotations
        self.spec = spec
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
