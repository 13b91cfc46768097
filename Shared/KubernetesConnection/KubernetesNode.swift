public import JSONCoding

/// What is kept of a core/v1 Node.
public struct KubernetesNode: Sendable, Hashable {
    public var name: String
    public var uid: String
    public var labels: [String: String]
    /// Its condition `Ready` is `True`.
    public var isReady: Bool

    /// Throws for an object without a name; members of other types than Kubernetes' count as absent.
    public init(_ json: JSON) throws(KubernetesObjectFault) {
        let metadata = try ObjectMetadata(json)
        (name, uid, labels) = (metadata.name, metadata.uid, metadata.labels)
        isReady = ObjectMetadata.isReady(json)
    }
}

/// What is kept of a core/v1 Pod.
public struct KubernetesPod: Sendable, Hashable {
    public var namespace: String
    public var name: String
    public var uid: String
    public var labels: [String: String]
    /// Where it runs or ran; empty until it is scheduled.
    public var nodeName: String
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`; empty where it is not said.
    public var phase: String
    /// Its condition `Ready` is `True`.
    public var isReady: Bool
    /// Why it is not scheduled, in the words of its condition `PodScheduled`; empty where that says nothing.
    public var unscheduledMessage: String

    static let messageCharactersMax = 300

    /// Throws for an object without a name or namespace; members of other types than Kubernetes' count as absent.
    public init(_ json: JSON) throws(KubernetesObjectFault) {
        let metadata = try ObjectMetadata(json)
        guard !metadata.namespace.isEmpty else { throw KubernetesObjectFault("metadata.namespace is missing") }
        (namespace, name, uid, labels) = (metadata.namespace, metadata.name, metadata.uid, metadata.labels)
        nodeName = json[path: "spec", "nodeName"]?.stringValue ?? ""
        phase = json[path: "status", "phase"]?.stringValue ?? ""
        isReady = ObjectMetadata.isReady(json)
        let scheduled = ObjectMetadata.condition("PodScheduled", of: json)
        let message = nodeName.isEmpty && scheduled?["status"]?.stringValue == "False" ? scheduled?["message"]?.stringValue : nil
        unscheduledMessage = String((message ?? "").prefix(Self.messageCharactersMax))
    }
}

/// Why an object of a server can't be used.
public struct KubernetesObjectFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

struct ObjectMetadata {
    var namespace: String
    var name: String
    var uid: String
    var labels: [String: String]

    init(_ json: JSON) throws(KubernetesObjectFault) {
        let metadata = json["metadata"]
        guard let name = metadata?["name"]?.stringValue, !name.isEmpty else { throw KubernetesObjectFault("metadata.name is missing") }
        self.name = name
        namespace = metadata?["namespace"]?.stringValue ?? ""
        uid = metadata?["uid"]?.stringValue ?? ""
        labels = metadata?["labels"]?.objectValue?.compactMapValues(\.stringValue) ?? [:]
    }

    static func condition(_ type: String, of json: JSON) -> JSON? {
        json[path: "status", "conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
    }

    static func isReady(_ json: JSON) -> Bool { condition("Ready", of: json)?["status"]?.stringValue == "True" }
}
