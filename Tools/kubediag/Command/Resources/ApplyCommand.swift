import ArgumentParser
import HTTPMessage
import JSONCoding
import Model
import ResourceClient

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Create or change objects so that they are as files say.",
        discussion: """
            Files are checked whole before anything is sent; faults come with file, line and field. What a file no longer says
            since it was last applied is removed from the object; what others added stays.

              kubediag apply -f playbook.yaml
              kubediag apply -f deploy/examples
              generate-playbook | kubediag apply -f -
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(name: .shortAndLong, help: "File, directory or - for standard input; may be repeated.") var filename: [String]
    @Option(name: .shortAndLong, help: "Namespace of objects that name none.") var namespace: String = API.defaultNamespace
    @Flag(help: "Let the server check everything and store nothing.") var dryRun = false

    func run() async throws {
        let documents = try ManifestFiles.read(filename)
        let faults = ManifestCheck.faults(documents)
        if !faults.isEmpty { throw ManifestFaults(faults: faults).failure }
        let connection = try connection.open()
        var refusals: [String] = []
        for document in Self.ordered(documents) {
            do {
                let outcome = try await apply(document, connection)
                for warning in outcome.warnings {
                    Terminal.standardError.line(
                        "warning: \(Terminal.shown("\(document.file):\(document.line) \(document.title): \(warning)"))")
                }
                let name = Terminal.shown(document.name)
                Terminal.standardOutput.line("\(document.kind.lowercased())/\(name) \(outcome.verb)\(dryRun ? " (dry run)" : "")")
            } catch let refusal as ServerRefusal where [400, 404, 409, 415, 422].contains(refusal.error.code) {
                refusals += Self.lines(refusal.error, document)
            }
        }
        if !refusals.isEmpty {
            throw CommandFailure(
                refusals.count == 1 ? refusals[0] : "\(refusals.count) faults", hints: refusals.count == 1 ? [] : refusals, status: .data)
        }
    }

    private struct Outcome {
        let verb: String
        let warnings: [String]
    }

    /// What others refer to goes first, which spares warnings about what comes later.
    static func ordered(_ documents: [ManifestDocument]) -> [ManifestDocument] {
        let ranks = [OperationSpec.names.kind, OperationSetSpec.names.kind, TriggerSpec.names.kind]
        return documents.enumerated()
            .map { (rank: ranks.firstIndex(of: $0.element.kind) ?? ranks.count, position: $0.offset, document: $0.element) }
            .sorted { ($0.rank, $0.position) < ($1.rank, $1.position) }
            .map(\.document)
    }

    private func apply(_ document: ManifestDocument, _ connection: Connection) async throws -> Outcome {
        let definition = try KindArgument.resolve(document.kind)
        var wanted = document.json
        let isNamespaced = definition.names.scope == .namespaced
        if isNamespaced, document.namespace.isEmpty { wanted["metadata"]?["namespace"] = .string(namespace) }
        let scope = isNamespaced ? wanted[path: "metadata", "namespace"]?.stringValue ?? "" : ""
        // Another writer may come between our reading and our writing: then what is there is looked at again.
        for _ in 0..<4 {
            do {
                return try await attempt(wanted, definition, scope, document.name, connection)
            } catch let refusal as ServerRefusal where refusal.error.code == 409 {
                continue
            }
        }
        return try await attempt(wanted, definition, scope, document.name, connection)
    }

    private func attempt(
        _ wanted: JSON, _ definition: ResourceDefinition, _ scope: String, _ name: String, _ connection: Connection
    ) async throws -> Outcome {
        let resource = APIResource(definition)
        let path = resource.path(namespace: scope, name: name)
        var query: Query = ["fieldManager": "kubediag-apply", "fieldValidation": "Strict"]
        if dryRun { query.add("dryRun", "All") }
        let annotated = ThreeWayPatch.annotated(wanted)
        let current: JSON
        do {
            current = try await connection.json(.get, path)
        } catch let refusal as ServerRefusal where refusal.error.code == 404 {
            let answer = try await connection.write(
                .post, resource.path(namespace: scope), query: query, body: annotated, kind: definition)
            return Outcome(verb: "created", warnings: answer.warnings)
        }
        let last = ThreeWayPatch.lastApplied(current)
        // Defaults that the server filled in look like its own additions, and so stay.
        guard var patch = ThreeWayPatch.make(last: last, wanted: annotated, current: current) else {
            return Outcome(verb: "unchanged", warnings: [])
        }
        if let version = current[path: "metadata", "resourceVersion"] {
            var metadata = patch["metadata"]?.objectValue ?? [:]
            metadata["resourceVersion"] = version
            patch["metadata"] = .object(metadata)
        }
        let answer = try await connection.write(
            .patch, path, query: query, body: patch, type: "application/merge-patch+json", kind: definition)
        return Outcome(verb: "configured", warnings: answer.warnings)
    }

    private static func lines(_ error: APIError, _ document: ManifestDocument) -> [String] {
        if error.causes.isEmpty { return [ManifestFault(document, "", error.message).description] }
        return error.causes.map { ManifestFault(document, $0.path, $0.message).description }
    }
}
