public import ResourceClient

/// The kinds of Kubernetes that are used here.
public enum KubernetesKinds {
    public static let nodes = APIResource(group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false)
    public static let pods = APIResource(group: "", version: "v1", plural: "pods", kind: "Pod", isNamespaced: true)
    public static let secrets = APIResource(group: "", version: "v1", plural: "secrets", kind: "Secret", isNamespaced: true)
    public static let statefulSets = APIResource(
        group: "apps", version: "v1", plural: "statefulsets", kind: "StatefulSet", isNamespaced: true)
    /// Events by core/v1.
    public static let coreEvents = APIResource(group: "", version: "v1", plural: "events", kind: "Event", isNamespaced: true)
    /// The same Events by their own group, in its members' names.
    public static let events = APIResource(group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", isNamespaced: true)
}
