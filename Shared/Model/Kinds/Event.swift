/// What happened to an object, or why something did not: Kubernetes' core/v1 `Event`, which `kubectl describe` and `kubectl events` show.
public struct Event: PlainResource {
    public var apiVersion: String
    public var kind: String
    public var metadata: ObjectMeta
    public var involvedObject: ObjectReference
    public var type: EventType?
    /// One CamelCase word.
    public var reason: String?
    public var message: String?
    /// How often it happened.
    public var count: Int64?
    public var firstTimestamp: Timestamp?
    public var lastTimestamp: Timestamp?
    public var source: EventSource?
    public var eventTime: Timestamp?
    public var series: EventSeries?
    public var action: String?
    public var related: ObjectReference?
    /// Kubernetes' newer word for the source's component; an empty one is written by its clients.
    public var reportingComponent: String?
    public var reportingInstance: String?

    public init(metadata: ObjectMeta, about involvedObject: ObjectReference) {
        apiVersion = Self.names.groupVersion.text
        kind = Self.names.kind
        self.metadata = metadata
        self.involvedObject = involvedObject
    }

    public static let definition = ResourceDefinition(Event.self)
}

/// Whether an event is in the ordinary course of things.
public enum EventType: String, Codable, Sendable, Hashable {
    case normal = "Normal"
    case warning = "Warning"
}

/// Which object is meant: Kubernetes' `ObjectReference`.
public struct ObjectReference: Codable, Sendable, Hashable {
    public var kind: String?
    public var namespace: String?
    public var name: String?
    public var uid: UID?
    public var apiVersion: String?
    public var resourceVersion: String?
    public var fieldPath: String?

    public init(kind: String, namespace: String? = nil, name: String, uid: UID? = nil, apiVersion: String? = nil) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.apiVersion = apiVersion
    }

    /// An object as it is, without its version: what happened to one version happened to the object.
    public init<Spec>(_ object: Resource<Spec>) {
        self.init(
            kind: object.kind, namespace: object.metadata.namespace.flatMap { $0.isEmpty ? nil : $0 }, name: object.name,
            uid: object.metadata.uid, apiVersion: object.apiVersion)
    }
}

/// Who tells of an event.
public struct EventSource: Codable, Sendable, Hashable {
    public var component: String?
    public var host: String?

    public init(component: String, host: String? = nil) {
        self.component = component
        self.host = host
    }
}

/// An event that goes on, in Kubernetes' newer form.
public struct EventSeries: Codable, Sendable, Hashable {
    public var count: Int64?
    public var lastObservedTime: Timestamp?
}

extension Event {
    /// How often it happened, in either form.
    public var times: Int64 { series?.count ?? count ?? 1 }
    /// When it last happened, as far as it says so.
    public var lastTime: Timestamp? { series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp }

    public static func faults(in event: Event) -> [FieldFault] {
        let namespace = event.involvedObject.namespace ?? ""
        guard !namespace.isEmpty, namespace != event.metadata.namespace ?? "" else { return [] }
        return [FieldFault("involvedObject.namespace", .invalid, "must be the namespace of the event, \(event.metadata.namespace ?? "")")]
    }
}
