import Model
import SchedulerCore

/// Which agents a target means, or why none.
enum TargetResolution {
    case node(NodeName)
    /// Distinct nodes, with or without an agent: each is to have a diagnosis of its own.
    case several([NodeName])
    /// Kubernetes has to be looked through, which takes a while.
    case search
    case failed(DiagnosisMachine.Resolution)

    /// Nodes that one diagnosis may have.
    static let nodesMax = 1000

    /// - Parameter cluster: nil where there is no Kubernetes to ask.
    init(_ target: DiagnosisTarget?, registry: AgentRegistry, cluster: KubernetesCluster?) {
        switch target {
        case .node(let name): self = Self.one(name, registry, cluster)
        case .nodes(let names):
            // Several nodes are children; what comes here names one node, however often.
            self = names.first.map { Self.one($0, registry, cluster) } ?? Self.none
        case .nodeSelector where cluster == nil:
            self = .failed(.impossible(Failure(.noNodeSource, "nodes can't be selected by label: \(Self.noCluster)")))
        case .podSelector where cluster == nil, .pods where cluster == nil:
            self = .failed(
                .impossible(Failure(.noPodSource, "pods can't be found: \(Self.noCluster); or give spec.nodeName beside the pod")))
        case .nodeSelector, .podSelector, .pods: self = .search
        case nil:
            self = .failed(.impossible(Failure(.noTarget, "there is neither a node nor a pod to diagnose")))
        }
    }

    /// Of the nodes that were found in Kubernetes.
    init(_ lookup: TargetLookup, registry: AgentRegistry, cluster: KubernetesCluster?) {
        switch lookup {
        case .failed(let resolution): self = .failed(resolution)
        case .nodes(let names) where names.count > Self.nodesMax:
            let message = "the target has \(names.count) nodes, at most \(Self.nodesMax) are diagnosed at once"
            self = .failed(.impossible(Failure(.tooManyNodes, message)))
        case .nodes(let names):
            let nodes = registry.distinct(names)
            self = nodes.count > 1 ? .several(nodes) : nodes.first.map { Self.one($0.rawValue, registry, cluster) } ?? Self.none
        }
    }

    private static let noCluster = "no Kubernetes cluster is connected (--kubeconfig, --kubernetes)"
    private static let none = TargetResolution.failed(.impossible(Failure(.noNodesMatched, "the list of nodes is empty")))

    private static func one(_ name: String, _ registry: AgentRegistry, _ cluster: KubernetesCluster?) -> TargetResolution {
        switch registry.match(name) {
        case .one(let node): .node(node)
        case .ambiguous(let nodes):
            .failed(
                .impossible(
                    Failure(.nodeAmbiguous, "\"\(name)\" is an alias of \(nodes.map(\.rawValue).joined(separator: ", ")); name one of them")
                ))
        case .none where cluster?.hasNode(name) == true:
            .failed(.missing(Failure(.agentNotFound, "node \"\(name)\" is in the cluster and has no agent. Check: kubediag get agents")))
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

extension AgentRegistry {
    /// The distinct nodes behind names, as agents are called where they are known.
    func distinct(_ names: [String]) -> [NodeName] {
        var seen: Set<NodeName> = []
        return names.map { name in
            if case .one(let node) = match(name) { node } else { NodeName(name) }
        }.filter { seen.insert($0).inserted }
    }
}
