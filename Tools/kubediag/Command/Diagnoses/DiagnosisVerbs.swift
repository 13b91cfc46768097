import ArgumentParser
import JSONCoding
import Model
import ResourceClient

struct RerunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerun", abstract: "Run a diagnosis once more, after a fix.",
        discussion: "The new diagnosis has the same target and parameters and the operation set as it is now.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the diagnosis.") var name: String
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Flag(name: .shortAndLong, help: "Show it until it ends.") var follow = false

    func run() async throws {
        let connection = try connection.open()
        let created: JSON
        do {
            created = try await connection.json(.post, DiagnosisPath.verb("rerun", namespace, name), to: .scheduler)
        } catch let refusal as ServerRefusal where refusal.error.code == 404 {
            throw try await connection.notFound(Diagnosis.definition, namespace: namespace, name: name)
        }
        let newName = created[path: "metadata", "name"]?.stringValue ?? ""
        guard follow else {
            Terminal.standardOutput.line("diagnosis/\(Terminal.shown(newName)) created")
            return
        }
        let session = FollowSession(
            connection: connection, namespace: namespace, name: newName, timeoutSeconds: nil, isVerbose: true)
        let end = try await session.run()
        throw CommandEnd(status: DiagnosisView(diagnosis: end, timeouts: [:], now: Clock.now()).exitStatus)
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a diagnosis; one-way.",
        discussion: "What runs on the node is ended, and the diagnosis fails with reason Cancelled unless it comes to its end before.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Names of diagnoses.") var names: [String]
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace

    func run() async throws {
        let connection = try connection.open()
        for name in names {
            do {
                _ = try await connection.resourceCall { client throws(ResourceClientError) in
                    try await client.mergePatch(
                        APIResource(Diagnosis.definition), namespace: namespace, name: name, ["spec": ["cancel": true]])
                }
                Terminal.standardOutput.line("diagnosis/\(name) is being cancelled")
            } catch let refusal as ServerRefusal where refusal.error.code == 404 {
                throw try await connection.notFound(Diagnosis.definition, namespace: namespace, name: name)
            }
        }
    }
}

/// Paths of the scheduler's own routes.
enum DiagnosisPath {
    static func verb(_ verb: String, _ namespace: String, _ name: String) -> String {
        "/api/v1/diagnoses/\(PathSegment.encode(namespace))/\(PathSegment.encode(name))/\(verb)"
    }
}
