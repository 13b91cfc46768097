public import AgentOperations
import Glibc
public import KubernetesConnection

/// The built-in operations that the original KubeDiag's agent served, under the names, parameter keys and result keys that it gave them.
public struct Processors: Sendable {
    private let cluster: Cluster
    private let node: String
    private let guarded: ProcessGuard
    private let runtimes: ContainerRuntimes

    /// - Parameters:
    ///   - kubernetes: the cluster to ask; without one, what needs it fails and says so.
    ///   - node: the name of this machine as a node of the cluster.
    ///   - agent: the process that no operation may stop, with its ancestors and descendants.
    ///   - runtimes: where the container runtimes are.
    public init(
        kubernetes: KubernetesConnection?, node: String, agent: Int32 = getpid(), runtimes: ContainerRuntimes = ContainerRuntimes()
    ) {
        cluster = Cluster(connection: kubernetes)
        self.node = node
        guarded = ProcessGuard(agent: agent)
        self.runtimes = runtimes
    }

    public var all: [BuiltIn] {
        let docker = DockerAPI(socket: runtimes.dockerSocket)
        let operations: [any ProcessorOperation] = [
            PodListCollector(cluster: cluster, node: node), PodDetailCollector(cluster: cluster),
            StatefulSetDetailCollector(cluster: cluster), StatefulSetStuck(cluster: cluster), NodeCordon(cluster: cluster, node: node),
            SonobuoyResultDiagnoser(), ProcessCollector(), MountInfoCollector(), SignalSender(guarded: guarded), SystemdUnitCollector(),
            FileStatusCollector(), DiskUsageCollector(), SubpathRemountDiagnoser(), SubpathRemountRecover(),
            ContainerCollector(docker: docker), DockerInfoCollector(docker: docker),
            DockerdGoroutineCollector(execRoot: runtimes.dockerExecRoot),
            ContainerdGoroutineCollector(folder: runtimes.containerdTemporaryFolder), GoProfiler(cluster: cluster),
            CoreFileProfiler(guarded: guarded), JavaThreadDump(guarded: guarded), TcpdumpProfiler(cluster: cluster, docker: docker),
            ElasticsearchCollector(),
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
