import AgentChecks
public import AgentOperations

/// All operations that an agent carries.
public enum BuiltInOperations {
    /// What they say of themselves, in the order of their names.
    public static var declarations: [BuiltInDeclaration] { catalogue().all.map(\.declaration) }

    static func catalogue() -> BuiltInCatalogue { BuiltInCatalogue(NodeChecks.all) }
}
