import ArgumentParser
import HTTPClient
import JSONCoding
import Model

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Add, check, drain and remove the agents of nodes.",
        discussion: """
            A second machine:
              kubediag agent token web-08 > web-08.join           on the machine of the scheduler; copy the file over
              kubediag agent join --server http://10.0.0.5:8080 --join-file web-08.join     on web-08, as root
              kubediag agent check web-08                         on the machine of the scheduler
            """,
        subcommands: [
            AgentTokenCommand.self, AgentJoinCommand.self, AgentCheckCommand.self, AgentDrainCommand.self, AgentLeaveCommand.self,
        ])
}

struct AgentDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Keep new diagnoses away from a node; those that run go on.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the node.") var node: String
    @Flag(help: "Let diagnoses come again.") var undo = false

    func run() async throws {
        let connection = try connection.open()
        do {
            _ = try await connection.json(
                .post, "/api/v1/agents/\(PathSegment.encode(node))/drain", body: ["drain": .bool(!undo)], to: .scheduler)
        } catch let refusal as ServerRefusal where refusal.error.code == 404 {
            throw try await connection.notFound(Agent.definition, namespace: "", name: node)
        }
        Terminal.standardOutput.line(
            undo ? "agent/\(node) takes diagnoses again" : "agent/\(node) is drained; undo with: kubediag agent drain \(node) --undo")
    }
}

struct AgentCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "See whether an agent is registered, can be reached from this machine, and can limit its steps.",
        discussion: "Run it on the machine of the scheduler, which is the one that has to reach the agent.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the node.") var node: String

    func run() async throws {
        let connection = try connection.open()
        let object = try await connection.get(Agent.definition, namespace: "", name: node)
        guard let address = object[path: "spec", "address"]?.stringValue else { throw CommandFailure("\(node) has no address") }
        let conditions = object[path: "status", "conditions"]?.arrayValue ?? []
        let ready = conditions.first { $0["type"]?.stringValue == "Ready" }
        guard ready?["status"]?.stringValue == "True" else {
            let message = ready?["message"]?.stringValue ?? "it has not been heard of lately"
            throw CommandFailure("\(node) is not ready: \(message)", hints: ["On \(node): systemctl status kubediag-agent"])
        }
        let response: ClientResponse
        do {
            response = try await connection.http.send(ClientRequest(url: "\(address)/healthz", timeoutSeconds: 10))
        } catch {
            throw CommandFailure(
                "\(node) is registered, but can't be reached at \(address): firewall? (\(error))",
                hints: ["Another address: agent-executor --advertise-address URL on \(node)."], status: .unreachable)
        }
        guard response.status == 200 else { throw CommandFailure("\(address) answered \(response.status); is that the agent?") }
        Terminal.standardOutput.line("agent/\(node) is ready and reached at \(address)")
        guard let limits = conditions.first(where: { $0["type"]?.stringValue == "StepLimits" }),
            let message = limits["message"]?.stringValue
        else { return }
        let isHeld = limits["status"]?.stringValue == "True"
        Terminal.standardOutput.line(isHeld ? message : "note: \(message) (docs/scripts.md)")
    }
}

struct AgentTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make the join file of a node, with a token of its own, and print it.",
        discussion: """
            Works on the files of `kubediag up` on this machine; running services take the new token up within a second. The file
            holds the agent's token and a digest by which the agent knows the scheduler; keep it secret.
            """)

    @Argument(help: "Name of the node, as its agent will call itself.") var node: String
    @Option(help: ArgumentHelp("Directory with the tokens; that of the context unless given.", valueName: "dir")) var dir: String?

    func run() throws {
        if let fault = Names.subdomainFault(node) { throw CommandFailure("\"\(node)\" is no node name: it \(fault)", status: .usage) }
        let directory = try TokenDirectory(path: try dir ?? Self.contextDirectory(), owner: nil)
        try directory.make(agents: [node])
        Terminal.standardOutput.write(try directory.joinFile(node: node))
    }

    private static func contextDirectory() throws -> String {
        let environment = Environment.current
        if let path = environment["KUBEDIAG_CONTEXT"] ?? ContextFile.defaultPath(environment), FileSystem.exists(path),
            let data = try ContextFile(path: path).dataDirectory
        {
            return data + "/tokens"
        }
        throw CommandFailure(
            "no context of an installation on this machine", hints: ["Give the directory: --dir DATA/tokens"], status: .usage)
    }
}
