import AgentChecks
public import AgentOperations
import AgentProcessors
import KubernetesConnection

/// All operations that an agent carries.
public enum BuiltInOperations {
    /// What they say of themselves, in the order of their names.
    public static var declarations: [BuiltInDeclaration] { catalogue(kubernetes: nil, node: "").all.map(\.declaration) }

    static func catalogue(kubernetes: KubernetesConnection?, node: String) -> BuiltInCatalogue {
        BuiltInCatalogue(NodeChecks.all + Processors(kubernetes: kubernetes, node: node).all)
    }
}
