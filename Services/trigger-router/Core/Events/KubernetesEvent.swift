import JSONCoding
import Model

/// An Event of a cluster, of either API: core/v1, or events.k8s.io/v1 whose members are told by core/v1's names.
///
/// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
public struct KubernetesEvent: Sendable, Hashable {
    public struct Reference: Sendable, Hashable {
        public var kind = ""
        public var namespace = ""
        public var name = ""
        public var uid = ""
        public var apiVersion = ""
        /// Such as `spec.containers{nginx}`.
        public var fieldPath = ""
    }

    public var name: String
    public var namespace: String
    public var uid: String
    public var involvedObject: Reference
    public var reason: String
    public var message: String
    public var type: String
    public var component: String
    public var host: String
    /// How often it was seen, 1 at least.
    public var count: Int64
    public var firstTime: Timestamp?
    public var lastTime: Timestamp?

    /// Throws for what is no Event of one of the two APIs.
    public init(_ json: JSON) throws(EventFault) {
        let event = try EventMembers(json, path: "")
        let apiVersion = try event.text("apiVersion", bytesMax: 253) ?? "v1"
        if let kind = try event.text("kind", bytesMax: 253), kind != "Event" {
            throw EventFault("kind", "expected Event, found \"\(kind)\"")
        }
        switch apiVersion {
        case "v1": try self.init(core: event)
        case "events.k8s.io/v1", "events.k8s.io/v1beta1": try self.init(events: event)
        default: throw EventFault("apiVersion", "expected v1 or events.k8s.io/v1, found \"\(apiVersion)\"")
        }
    }

    private init(core event: EventMembers) throws(EventFault) {
        try self.init(event, about: "involvedObject", text: "message", source: "source", counted: "count", controller: "reportingComponent")
        firstTime = try event.time("firstTimestamp") ?? firstTime
        lastTime = try event.time("lastTimestamp") ?? lastTime
    }

    private init(events event: EventMembers) throws(EventFault) {
        try self.init(
            event, about: "regarding", text: "note", source: "deprecatedSource", counted: "deprecatedCount",
            controller: "reportingController")
        firstTime = try event.time("deprecatedFirstTimestamp") ?? firstTime
        lastTime = try event.time("deprecatedLastTimestamp") ?? lastTime
    }

    private init(
        _ event: EventMembers, about: String, text: String, source: String, counted: String, controller: String
    ) throws(EventFault) {
        guard let metadata = try event.object("metadata") else { throw EventFault("metadata", "is required") }
        guard let object = try event.object(about) else { throw EventFault(about, "is required") }
        name = try metadata.requiredText("name", bytesMax: 1024)
        namespace = try metadata.text("namespace", bytesMax: 253) ?? ""
        uid = try metadata.text("uid", bytesMax: 253) ?? ""
        involvedObject = Reference(
            kind: try object.text("kind", bytesMax: 253) ?? "", namespace: try object.text("namespace", bytesMax: 253) ?? "",
            name: try object.text("name", bytesMax: 1024) ?? "", uid: try object.text("uid", bytesMax: 253) ?? "",
            apiVersion: try object.text("apiVersion", bytesMax: 253) ?? "", fieldPath: try object.text("fieldPath", bytesMax: 1024) ?? "")
        reason = try event.text("reason", bytesMax: 1024) ?? ""
        message = try event.text(text) ?? ""
        type = try event.text("type", bytesMax: 253) ?? ""
        let reporter = try event.object(source)
        let reported = try reporter?.text("component", bytesMax: 253)
        let controlled = try event.text(controller, bytesMax: 253)
        component = reported ?? controlled ?? ""
        host = try reporter?.text("host", bytesMax: 253) ?? ""
        let series = try event.object("series")
        let (repeated, told) = (try series?.count("count"), try event.count(counted))
        count = max(1, repeated ?? told ?? 1)
        firstTime = try event.time("eventTime")
        lastTime = try series?.time("lastObservedTime") ?? firstTime
    }

    /// The container that a field path names, of whichever of the pod's lists.
    var container: String {
        let path = involvedObject.fieldPath
        guard involvedObject.kind == "Pod", path.hasSuffix("}"), let brace = path.firstIndex(of: "{") else { return "" }
        return String(path[path.index(after: brace)...].dropLast())
    }

    /// The labels that say what happens to whom: when they are the same it is the same trouble, however often it is told. The object's uid
    /// is not among them, since a pod that is made again under its name has the trouble still.
    public static let identity: Set<String> = [
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "container", "reason",
    ]

    /// The event as an alert. Beside the event's members its labels say whom it is about: `node` (the involved Node, else the host that
    /// reports, which for a kubelet is the pod's node), `pod.namespace`, `pod.name` and `container`.
    ///
    /// It has no start: an event that is told again, under another name too, is the same until the trigger's interval is over.
    public var alert: Alert {
        var labels = [
            "name": name, "namespace": namespace, "uid": uid, "reason": reason, "message": message, "type": type,
            "source.component": component, "source.host": host, "count": String(count), "involvedObject.kind": involvedObject.kind,
            "involvedObject.namespace": involvedObject.namespace, "involvedObject.name": involvedObject.name,
            "involvedObject.apiVersion": involvedObject.apiVersion, "involvedObject.fieldPath": involvedObject.fieldPath,
            "container": container, "node": involvedObject.kind == "Node" ? involvedObject.name : host,
            "firstTimestamp": firstTime?.description ?? "", "lastTimestamp": lastTime?.description ?? "",
        ]
        if involvedObject.kind == "Pod" {
            labels["pod.namespace"] = involvedObject.namespace
            labels["pod.name"] = involvedObject.name
        }
        return Alert(labels: LabelSet(labels.filter { !$0.value.isEmpty }), statedStatus: .firing, origin: .kubernetesEvent)
    }
}

extension KubernetesEvent {
    /// Events that one body may hold at most.
    public static let eventsMax = 10_000

    /// What event exporters post: one Event, an EventList or List, or a bare array. Throws where nothing of it can be used.
    public static func events(in body: JSON) throws(EventFault) -> EventBatch<KubernetesEvent> {
        let items: [JSON]
        switch body {
        case .array(let array): items = array
        case .object(let members) where members["items"]?.arrayValue != nil: items = members["items"]?.arrayValue ?? []
        default: return EventBatch([try KubernetesEvent(body)])
        }
        guard items.count <= eventsMax else { throw EventFault("", "has \(items.count) events, at most \(eventsMax) are taken") }
        return try EventBatch(items) { item throws(EventFault) in try KubernetesEvent(item) }
    }
}
