import AgentExecutorService
import Foundation
import Logging
import ServiceKit
import TestSupport
import Testing
import Yams

/// The endpoint table and openapi/agent-executor.yaml say the same.
@Suite struct ContractTests {
    @Test func everyRouteIsInTheDocumentAndEveryOperationInTheTable() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let program = AgentExecutor.program
        let configuration = try program.table.configuration(
            arguments: ["--data-dir", directory.path + "/data", "--node-name", "web-07"])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = ServiceContext(name: program.name, configuration: configuration, logger: logger)
        let assembly = try await AgentExecutor(context).assembly
        let server = try ServiceServer(context, endpoints: assembly.endpoints, authenticator: Authenticator(logger: logger))
        let table = Set(server.endpoints.map { "\($0.method.token) \($0.template.replacingOccurrences(of: "...", with: ""))" })
        await assembly.close()

        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .resolvingSymlinksInPath().appendingPathComponent("openapi/agent-executor.yaml")
        let document = try #require(try Yams.load(yaml: String(contentsOf: file, encoding: .utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let methods: Set = ["get", "put", "post", "patch", "delete"]
        let operations = paths.flatMap { path, item in item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" } }
        #expect(table == Set(operations))
    }
}
