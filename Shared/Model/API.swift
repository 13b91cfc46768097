/// The names of the API group.
public enum API {
    public static let group = "diagnosis.kubediag.org"
    public static let version = "v1"
    public static let groupVersion = "diagnosis.kubediag.org/v1"
    /// What all kinds together are called: `kubectl get kubediag`.
    public static let category = "kubediag"
    /// Where diagnoses go that nobody gave a namespace.
    public static let defaultNamespace = "kubediag"

    /// Every kind that is served.
    public static let definitions: [ResourceDefinition] = [
        Operation.definition, OperationSet.definition, Trigger.definition, CommonEvent.definition, Diagnosis.definition, Agent.definition,
        Event.definition,
    ]
}
