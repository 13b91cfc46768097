import AgentOperations

/// Which pod an operation is about; a diagnosis of a pod has them in its context.
enum PodParameters {
    static let namespace = Parameter<String?>.optional("pod.namespace", .word(), "the pod's namespace; a diagnosis of a pod has it")
    static let name = Parameter<String?>.optional("pod.name", .word(), "the pod's name; a diagnosis of a pod has it")
    static let container = Parameter<String?>.optional("container", .word(), "a container of the pod")

    static let requiredNamespace = Parameter<String>.required("pod.namespace", .word(), "the pod's namespace; a diagnosis of a pod has it")
    static let requiredName = Parameter<String>.required("pod.name", .word(), "the pod's name; a diagnosis of a pod has it")
}
