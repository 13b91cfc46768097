import HTTPClient
import KubernetesConnection
import Logging
import Model
import ResourceClient
import SchedulerCore
import ServiceKit

/// What the scheduler knows of a Kubernetes cluster: all its nodes and pods, kept up to date by two informers.
///
/// `run` is its lifetime; a server that is away, or comes back, is its ordinary case. An answer comes from memory, and one that says that
/// something is not there only while that memory is up to date.
final class KubernetesCluster: Sendable {
    /// Kubernetes itself goes up to 5,000 nodes and 150,000 pods.
    static let nodesMax = 50_000
    static let podsMax = 500_000

    private let connection: KubernetesConnection
    private let nodes: Informer<KubernetesNode>
    private let pods: Informer<KubernetesPod>

    init(_ connection: KubernetesConnection, logger: Logger) {
        self.connection = connection
        let (client, backoff) = (connection.client, RetryPolicy(attemptsMax: 1, backoffSeconds: 0.1, backoffSecondsMax: 5))
        nodes = Informer(
            client: client, resource: KubernetesKinds.nodes, options: InformerOptions(objectsMax: Self.nodesMax, backoff: backoff),
            logger: logger, decode: KubernetesNode.init)
        pods = Informer(
            client: client, resource: KubernetesKinds.pods, options: InformerOptions(objectsMax: Self.podsMax, backoff: backoff),
            logger: logger, decode: KubernetesPod.init)
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.nodes.run() }
            group.addTask { await self.pods.run() }
        }
    }

    func shutdown() async { await connection.shutdown() }

    /// Registers what is measured; without a cluster the gauges have no samples.
    static func measure(_ cluster: KubernetesCluster?, in metrics: MetricRegistry) {
        metrics.gauge("kubernetes_connected", help: "1 while nodes and pods of Kubernetes are known and followed, 0 while not.") {
            cluster.map { Self.isCurrent($0.nodes.status) && Self.isCurrent($0.pods.status) ? 1 : 0 }
        }
        metrics.gauge("kubernetes_nodes", help: "Nodes of Kubernetes that are known.") { cluster.map { Double($0.nodes.count) } }
        metrics.gauge("kubernetes_pods", help: "Pods of Kubernetes that are known.") { cluster.map { Double($0.pods.count) } }
        metrics.counter("kubernetes_lists_total", help: "Complete lists of nodes or pods that were read from Kubernetes.") {
            cluster.map { Double($0.nodes.status.listsCompleted + $0.pods.status.listsCompleted) }
        }
    }

    private static func isCurrent(_ status: InformerStatus) -> Bool { status.isSynced && status.isWatching }

    // MARK: Answers

    /// Whether Kubernetes has a node of that name, as far as is known.
    func hasNode(_ name: String) -> Bool { nodes.object(name: name) != nil }

    /// The nodes that a target means, by their names in Kubernetes, each once and in the order of the target; a selector's by name.
    ///
    /// Of pods that a selector matches those without a node are passed over, unless none of them has one. A reference is never passed over.
    func find(_ target: DiagnosisTarget) -> TargetLookup {
        switch target {
        case .node(let name): .nodes([name])
        case .nodes(let names): .nodes(names)
        case .nodeSelector(let selector): find(selector, TargetSearch.nodes)
        case .podSelector(let selector): find(selector, TargetSearch.pods)
        case .pods(let references): find(references)
        }
    }

    private func find(_ references: [PodReference]) -> TargetLookup {
        let isKnown = Self.isCurrent(pods.status)
        var found: [String] = []
        for reference in references {
            guard let pod = pods.object(namespace: reference.namespace, name: reference.name) else {
                guard isKnown else { return notConnected(pods.status) }
                return .failed(.missing(Failure(.podNotFound, "there is no pod \(reference.namespace)/\(reference.name)")))
            }
            guard !pod.nodeName.isEmpty else { return .failed(.waiting(TargetSearch.notScheduled(pod))) }
            found.append(pod.nodeName)
        }
        return .nodes(TargetSearch.distinct(found))
    }

    private func find(_ selector: KubernetesLabelSelector, _ search: TargetSearch) -> TargetLookup {
        // Some of a stale list would be taken for all of it.
        guard Self.isCurrent(nodes.status) || search == .pods else { return notConnected(nodes.status) }
        guard Self.isCurrent(pods.status) || search == .nodes else { return notConnected(pods.status) }
        do throws(SelectorError) {
            let selector = try LabelSelector(selector)
            switch search {
            case .nodes: return TargetSearch.take(nodes: nodes.snapshot.values.filter { selector.matches($0.labels) }, by: selector)
            case .pods: return TargetSearch.take(pods: pods.snapshot.values.filter { selector.matches($0.labels) }, by: selector)
            }
        } catch {
            return .failed(.impossible(Failure(.noNodesMatched, error.message)))
        }
    }

    private func notConnected(_ status: InformerStatus) -> TargetLookup {
        let silence = status.isSynced ? "its watch is being opened" : "it has not answered yet"
        // libcurl tells how long it took, which would make a new reason of every attempt.
        let cause = (status.failure ?? silence).replacing(#/\ after \d+ ms/#, with: "")
        let state = status.isSynced ? "is not heard of" : "has not told what there is"
        return .failed(.waiting(Failure(.kubernetesNotConnected, "the kube-apiserver at \(connection.access.server) \(state): \(cause)")))
    }
}
