import AgentExecutorService
import GraphBuilderService
import Logging
import SchedulerService
import ServiceKit
import TestSupport
import Testing
import TriggerRouterService

/// A program beside its document, and the settings without which it does not start. Ports 1 lead nowhere.
struct ContractedService: Sendable, CustomTestStringConvertible {
    let file: String
    let program: ServiceProgram
    let settings: [String]

    var testDescription: String { program.name }

    static let graphBuilder = ContractedService(file: "graph-builder.yaml", program: GraphBuilder.program, settings: [])
    static let scheduler = ContractedService(
        file: "scheduler.yaml", program: Scheduler.program, settings: ["--graph-builder-url", "http://127.0.0.1:1"])
    static let triggerRouter = ContractedService(
        file: "trigger-router.yaml", program: TriggerRouter.program,
        settings: ["--scheduler-url", "http://127.0.0.1:1", "--graph-builder-url", "http://127.0.0.1:1"])
    static let agentExecutor = ContractedService(
        file: "agent-executor.yaml", program: AgentExecutor.program,
        settings: ["--node-name", "web-07", "--scheduler-url", "http://127.0.0.1:1"])

    static let all = [graphBuilder, scheduler, triggerRouter, agentExecutor]

    /// The endpoint table as its server has it, the routes of every service included.
    func endpoints() async throws -> [Endpoint] {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let configuration = try program.table.configuration(arguments: ["--data-dir", directory.path + "/data"] + settings)
        let logger = Logger(label: program.name) { _ in SwiftLogNoOpLogHandler() }
        let context = ServiceContext(name: program.name, configuration: configuration, logger: logger)
        let assembly = try await program.assemble(context)
        let server = try ServiceServer(context, endpoints: assembly.endpoints, authenticator: Authenticator(logger: logger))
        await assembly.close()
        return server.endpoints
    }
}

extension Endpoint {
    /// The row as an OpenAPI document spells it: the tail of a path is a parameter like any other.
    var route: String { "\(method.token) \(template.replacing("...}", with: "}"))" }
}
