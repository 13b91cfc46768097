public import AgentOperations
public import KubernetesConnection

/// The built-in operations that the original KubeDiag's agent served, under the names, parameter keys and result keys that it gave them.
public struct Processors: Sendable {
    private let cluster: Cluster
    private let node: String

    /// - Parameters:
    ///   - kubernetes: the cluster to ask; without one, what needs it fails and says so.
    ///   - node: the name of this machine as a node of the cluster.
    public init(kubernetes: KubernetesConnection?, node: String) {
        cluster = Cluster(connection: kubernetes)
        self.node = node
    }

    public var all: [BuiltIn] {
        let operations: [any ProcessorOperation] = [
            PodListCollector(cluster: cluster, node: node), PodDetailCollector(cluster: cluster),
            StatefulSetDetailCollector(cluster: cluster), StatefulSetStuck(cluster: cluster), NodeCordon(cluster: cluster, node: node),
            SonobuoyResultDiagnoser(),
        ]
        return operations.map(\.builtIn)
    }
}

/// One of them: what it says of itself and what it does.
protocol ProcessorOperation: Sendable {
    static var declaration: BuiltInDeclaration { get }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome
    /// What it would do, for a dry run.
    func plan(_ context: BuiltInContext) -> String
}

extension ProcessorOperation {
    func plan(_ context: BuiltInContext) -> String { Self.declaration.summary }

    var builtIn: BuiltIn {
        BuiltIn(Self.declaration, plan: plan) { (context, host) async throws(BuiltInFault) in try await run(context, on: host) }
    }
}
