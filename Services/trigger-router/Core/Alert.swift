import Model

/// One alert as a receiver took it in; or an event or a scheduled time, told as an alert whose labels are its members.
public struct Alert: Sendable, Hashable {
    /// What kind of source it came from: a trigger is held against those of its own alone.
    public enum Origin: String, Sendable, Hashable, CaseIterable {
        case prometheusAlert = "PrometheusAlert"
        case kubernetesEvent = "KubernetesEvent"
        case commonEvent = "CommonEvent"
        case cron = "Cron"
        /// A message that asks for a diagnosis by itself; no trigger listens to it.
        case message = "Message"

        /// What one of them is called in a sentence.
        var noun: String {
            switch self {
            case .prometheusAlert: "alert"
            case .kubernetesEvent: "Kubernetes event"
            case .commonEvent: "common event"
            case .cron: "scheduled time"
            case .message: "message"
            }
        }

        /// The label whose value is shown as the name.
        var nameLabel: String {
            switch self {
            case .prometheusAlert: Alert.nameLabel
            case .kubernetesEvent: "reason"
            case .commonEvent: "summary"
            case .cron: "trigger"
            case .message: "topic"
            }
        }
    }

    public var origin: Origin
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
        generatorURL: String = "", statedStatus: Status? = nil, origin: Origin = .prometheusAlert
    ) {
        self.origin = origin
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt.flatMap { $0.isZero ? nil : $0 }
        self.endsAt = endsAt.flatMap { $0.isZero ? nil : $0 }
        self.generatorURL = generatorURL
        self.statedStatus = statedStatus
    }

    /// The label `alertname`, or what takes its place for other origins; empty where it is absent.
    public var name: String { labels[origin.nameLabel] ?? "" }

    /// Whether the alert still fires at `now`. Where the sender does not say, an alert has ended once its end is not in the future.
    public func status(at now: Timestamp) -> Status {
        if let statedStatus { return statedStatus }
        guard let endsAt else { return .firing }
        return endsAt.timestamp > now ? .firing : .resolved
    }
}
