import Model
import SchedulerCore

/// Which agent a target means, or why none.
enum TargetResolution {
    case node(NodeName)
    case failed(DiagnosisMachine.Resolution)

    init(_ target: DiagnosisTarget?, registry: AgentRegistry) {
        switch target {
        case .node(let name): self = Self.one(name, registry)
        case .nodes(let names):
            // Several nodes are children; what comes here names one node, however often.
            self = names.first.map { Self.one($0, registry) } ?? Self.none
        case .nodeSelector:
            self = .failed(.impossible(Failure(.noNodesMatched, "nodes can't be selected by label without a Kubernetes cluster")))
        case .podSelector, .pods:
            self = .failed(
                .impossible(Failure(.noPodSource, "pods can't be found without a Kubernetes cluster; give spec.nodeName beside the pod")))
        case nil:
            self = .failed(.impossible(Failure(.noTarget, "there is neither a node nor a pod to diagnose")))
        }
    }

    private static let none = TargetResolution.failed(.impossible(Failure(.noNodesMatched, "the list of nodes is empty")))

    private static func one(_ name: String, _ registry: AgentRegistry) -> TargetResolution {
        switch registry.match(name) {
        case .one(let node): .node(node)
        case .ambiguous(let nodes):
            .failed(
                .impossible(
                    Failure(.nodeAmbiguous, "\"\(name)\" is an alias of \(nodes.map(\.rawValue).joined(separator: ", ")); name one of them")
                ))
        case .none(let near):
            .failed(.missing(Failure(.nodeNotFound, "agent \"\(name)\" not found. \(hint(near, registry))")))
        }
    }

    private static func hint(_ near: [NodeName], _ registry: AgentRegistry) -> String {
        guard !near.isEmpty else {
            return registry.entries.isEmpty ? "No agent is registered." : "Check: kubediag get agents"
        }
        let names = near.map { node in "\(node) (\(registry[node]?.isReady == true ? "Ready" : "not ready"))" }
        return "Near: \(names.joined(separator: ", ")). Check: kubediag get agents"
    }
}
