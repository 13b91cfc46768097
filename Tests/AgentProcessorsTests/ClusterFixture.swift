import AgentOperations
import AgentProcessors
import JSONCoding
import KubernetesConnection
import KubernetesTestServer
import ServiceKit
import Testing

/// A cluster and the processors of an agent on its node `n1`.
struct ClusterFixture: Sendable {
    let server = KubernetesTestServer()
    let processors: Processors
    private let connection: KubernetesConnection

    init(_ runtimes: ContainerRuntimes = ContainerRuntimes()) throws {
        try server.start()
        let url = try #require(HTTPURL(server.url))
        connection = try KubernetesConnection(KubernetesAccess(server: url, origin: "the test"))
        processors = Processors(kubernetes: connection, node: "n1", runtimes: runtimes)
    }

    func stop() async {
        await connection.shutdown()
        await server.stop()
    }

    /// Runs a body with a cluster and stops it after.
    static func with(
        _ runtimes: ContainerRuntimes = ContainerRuntimes(), _ body: (ClusterFixture) async throws -> Void
    ) async throws {
        let fixture = try ClusterFixture(runtimes)
        do {
            try await body(fixture)
        } catch {
            await fixture.stop()
            throw error
        }
        await fixture.stop()
    }

    func operation(_ name: String) throws -> BuiltIn { try processors.operation(name) }
}

extension Processors {
    func operation(_ name: String) throws -> BuiltIn { try #require(BuiltInCatalogue(all)[name]) }
}

extension BuiltInOutcome {
    func json(_ key: String) throws -> JSON {
        guard case .json(let json) = try #require(results.first { $0.key == key }).value else { throw ResultFault() }
        return json
    }

    func text(_ key: String) throws -> String { try #require(results.first { $0.key == key }).value.text }

    struct ResultFault: Error {}
}
