import AgentOperations
import JSONCoding
import KubernetesConnection

/// Keeps new pods away from this node.
struct NodeCordon: ProcessorOperation {
    let cluster: Cluster
    let node: String

    static let nameKey = "recover.kubernetes.node_cordon.result.name"

    static let declaration = BuiltInDeclaration(
        "nodeCordon", "Marks this node as unschedulable, so that no further pods are put on it; those that run go on.", effect: .mutate,
        results: [.init(nameKey, .name("The node."))], privileges: ["get and patch nodes"])

    func plan(_ context: BuiltInContext) -> String { "Would mark the node \(node) as unschedulable." }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let seen = try await cluster.get(KubernetesKinds.nodes, name: node, context)
        if seen[path: "spec", "unschedulable"]?.boolValue != true {
            try await cluster.mergePatch(KubernetesKinds.nodes, name: node, ["spec": ["unschedulable": true]], context)
        }
        return .done([.init(Self.nameKey, .text(node))])
    }
}
