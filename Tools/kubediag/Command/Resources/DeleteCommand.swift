import ArgumentParser
import JSONCoding
import Model
import ResourceClient

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete objects by name, or those that stand in files.",
        discussion: """
            A diagnosis that runs is cancelled first; it goes when its agent has let go. What belongs to an object goes with it: soon
            afterwards, with --cascade foreground before it, with --cascade orphan not at all.

              kubediag delete trigger disk-full
              kubediag delete -f playbook.yaml
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Kind, or KIND/NAME.", completion: .list(KindArgument.plurals)) var kind: String?
    @Argument(help: "Names.") var names: [String] = []
    @Option(name: .shortAndLong, help: "File, directory or - for standard input; may be repeated.") var filename: [String] = []
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Option(help: "What becomes of what belongs to it: background, foreground or orphan.") var cascade = Cascade.background
    @Flag(help: "What is not there is no failure.") var ignoreNotFound = false

    enum Cascade: String, ExpressibleByArgument, CaseIterable {
        case background, foreground, orphan

        /// As the API calls it.
        var propagationPolicy: String {
            switch self {
            case .background: "Background"
            case .foreground: "Foreground"
            case .orphan: "Orphan"
            }
        }
    }

    func validate() throws {
        guard (kind == nil) != filename.isEmpty else { throw ValidationError("Give either KIND NAME… or -f FILE.") }
    }

    func run() async throws {
        let connection = try connection.open()
        guard let kind else {
            for document in try ManifestFiles.read(filename).reversed() {
                let definition = try KindArgument.resolve(document.kind)
                let scope = document.namespace.isEmpty ? namespace : document.namespace
                try await delete(definition, scope, document.name, connection)
            }
            return
        }
        let (definition, names) = try KindArgument.resolve(kind, names)
        guard !names.isEmpty else { throw CommandFailure("say which: kubediag delete \(kind) NAME", status: .usage) }
        for name in names { try await delete(definition, namespace, name, connection) }
    }

    private func delete(_ definition: ResourceDefinition, _ namespace: String, _ name: String, _ connection: Connection) async throws {
        let scope = definition.names.scope == .cluster ? "" : namespace
        do {
            let outcome = try await connection.resourceCall { client throws(ResourceClientError) in
                try await client.delete(
                    APIResource(definition), namespace: scope, name: name, propagationPolicy: cascade.propagationPolicy)
            }
            let isMarked = if case .object = outcome { true } else { false }
            Terminal.standardOutput.line("\(definition.names.singular)/\(name) \(isMarked ? "is being deleted" : "deleted")")
        } catch let refusal as ServerRefusal where refusal.error.code == 404 {
            if ignoreNotFound { return }
            throw try await connection.notFound(definition, namespace: scope, name: name)
        }
    }
}
