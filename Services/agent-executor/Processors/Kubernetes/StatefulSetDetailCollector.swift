import AgentOperations
import JSONCoding
import KubernetesConnection

/// One stateful set: the one that is named, or the one that owns a pod.
struct StatefulSetDetailCollector: ProcessorOperation {
    let cluster: Cluster

    static let resultKey = "collector.kubernetes.statefulset.detail.result"
    static let namespace = Parameter<String?>.optional(
        "collector.kubernetes.statefulset.namespace", .word(), "its namespace; needs the name too")
    static let name = Parameter<String?>.optional("collector.kubernetes.statefulset.name", .word(), "its name; needs the namespace too")
    static let pod = EarlierResult(
        PodDetailCollector.detailKey, "the pod whose stateful set is meant, as podDetailCollector leaves it, where none is named")

    static let declaration = BuiltInDeclaration(
        "statefulsetDetailCollector", "Reads a stateful set, by its name or as the owner of a pod.",
        parameters: [namespace.definition, name.definition, pod.parameter.definition],
        results: [.init(resultKey, .anything("The stateful set, as Kubernetes has it."))], privileges: ["get statefulsets.apps"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let (namespace, name) = try await target(context, host)
        let set = try await cluster.get(KubernetesKinds.statefulSets, namespace: namespace, name: name, context)
        return .done([.init(Self.resultKey, .json(set.withoutManagedFields))])
    }

    private func target(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> (namespace: String, name: String) {
        if let namespace = context[Self.namespace], let name = context[Self.name] { return (namespace, name) }
        guard let pod = try await Self.pod.json(context, host) else {
            throw .parameter(
                Self.name.definition.key, "is needed, with \(Self.namespace.definition.key), where there is no \(Self.pod.key)")
        }
        guard let namespace = pod.namespace, let name = pod.name else { throw .parameter(Self.pod.key, "must be a pod") }
        guard let owner = pod.owner(ofKind: "StatefulSet") else {
            throw .failed("the pod \(namespace)/\(name) belongs to no stateful set")
        }
        return (namespace, owner)
    }
}
