import Model

/// One alert as a receiver took it in.
public struct Alert: Sendable, Hashable {
    public var labels: LabelSet
    public var annotations: LabelSet
    /// When it began to fire; nil where the sender did not say. It never becomes now.
    public var startsAt: AlertTime?
    /// When it ended or will be taken as ended; nil where it has not ended.
    public var endsAt: AlertTime?
    public var generatorURL: String
    /// What the sender says of its state; nil where it leaves that to `endsAt`, as Prometheus does.
    public var statedStatus: Status?

    public enum Status: String, Sendable, Hashable {
        case firing
        case resolved
    }

    /// The label whose value is the alert's name.
    public static let nameLabel = "alertname"

    public init(
        labels: LabelSet, annotations: LabelSet = LabelSet(), startsAt: AlertTime? = nil, endsAt: AlertTime? = nil,
        generatorURL: String = "",
        statedStatus: Status? = nil
    ) {
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt.flatMap { $0.isZero ? nil : $0 }
        self.endsAt = endsAt.flatMap { $0.isZero ? nil : $0 }
        self.generatorURL = generatorURL
        self.statedStatus = statedStatus
    }

    /// The label `alertname`, empty where it is absent.
    public var name: String { labels[Self.nameLabel] ?? "" }

    /// Whether the alert still fires at `now`. Where the sender does not say, an alert has ended once its end is not in the future.
    public func status(at now: Timestamp) -> Status {
        if let statedStatus { return statedStatus }
        guard let endsAt else { return .firing }
        return endsAt.timestamp > now ? .firing : .resolved
    }
}
