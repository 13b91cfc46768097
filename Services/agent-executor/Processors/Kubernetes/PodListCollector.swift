import AgentOperations
import JSONCoding
import KubernetesConnection
import Model
import ResourceClient

/// All pods of this node.
struct PodListCollector: ProcessorOperation {
    let cluster: Cluster
    let node: String

    static let listKey = "collector.kubernetes.pod.list"
    private static let podsMax = 2000

    static let declaration = BuiltInDeclaration(
        "podListCollector", "Lists the pods of this node.",
        results: [.init(listKey, .array("The pods, as Kubernetes has them.", of: .anything("A pod."), max: podsMax))],
        privileges: ["list pods of all namespaces"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let fields = FieldSelector(requirements: [.init(field: "spec.nodeName", value: node)])
        let pods = try await cluster.list(KubernetesKinds.pods, ResourceSelection(fields: fields), objectsMax: Self.podsMax, context)
        let own = pods.filter { $0[path: "spec", "nodeName"]?.stringValue == node }
        return .done([.init(Self.listKey, .json(.array(own.map(\.withoutManagedFields))))])
    }
}

/// One pod.
struct PodDetailCollector: ProcessorOperation {
    let cluster: Cluster

    static let detailKey = "collector.kubernetes.pod.detail"

    static let declaration = BuiltInDeclaration(
        "podDetailCollector", "Reads the pod that the diagnosis is about.",
        parameters: [PodParameters.requiredNamespace.definition, PodParameters.requiredName.definition],
        results: [.init(detailKey, .anything("The pod, as Kubernetes has it."))], privileges: ["get pods"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let pod = try await cluster.get(
            KubernetesKinds.pods, namespace: context[PodParameters.requiredNamespace], name: context[PodParameters.requiredName], context)
        return .done([.init(Self.detailKey, .json(pod.withoutManagedFields))])
    }
}
