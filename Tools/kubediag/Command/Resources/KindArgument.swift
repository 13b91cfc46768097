import HTTPMessage
import JSONCoding
import Model
import ResourceClient

/// A kind as people write it: `diagnoses`, `diagnosis`, `diag`, `Diagnosis`.
enum KindArgument {
    /// For completions.
    static var plurals: [String] { API.definitions.map(\.plural) }

    static func resolve(_ text: String) throws -> ResourceDefinition {
        let wanted = text.lowercased()
        let found = API.definitions.first { definition in
            let names = definition.names
            return names.plural == wanted || names.singular == wanted || names.shortNames.contains(wanted)
                || definition.groupResource == wanted
        }
        if let found { return found }
        let words = API.definitions.flatMap { [$0.names.plural, $0.names.singular] }
        let near = NearestName.find(wanted, among: words).map { "Did you mean \"\($0)\"? " } ?? ""
        let known = plurals.joined(separator: ", ")
        throw CommandFailure("there is no kind \"\(text)\"", hints: ["\(near)There are \(known)."], status: .usage)
    }

    /// A kind and names: `get diag a b`, `get diag/a`.
    static func resolve(_ kind: String, _ names: [String]) throws -> (definition: ResourceDefinition, names: [String]) {
        let parts = kind.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return (try resolve(kind), names) }
        guard names.isEmpty, !parts[1].isEmpty else {
            throw CommandFailure("write either KIND/NAME or KIND NAME…", status: .usage)
        }
        return (try resolve(String(parts[0])), [String(parts[1])])
    }
}

extension Connection {
    /// Writes to the service that owns the kind, whose warnings get lost on the way through the router; where only the router is reached,
    /// through that.
    func write(
        _ method: Method, _ path: String, query: Query, body: JSON, type: String = "application/json", kind: ResourceDefinition
    ) async throws -> Answer {
        let owner: Service =
            switch kind.kind {
            case OperationSpec.names.kind, OperationSetSpec.names.kind: .graphBuilder
            case DiagnosisSpec.names.kind, AgentSpec.names.kind: .scheduler
            default: .router
            }
        guard address(of: owner) != server else { return try await send(method, path, query: query, body: body, type: type) }
        do {
            return try await send(method, path, query: query, body: body, type: type, to: owner)
        } catch let failure as CommandFailure where failure.status == .unreachable {
            return try await send(method, path, query: query, body: body, type: type)
        }
    }

    /// The objects of a kind, all pages of them.
    func list(
        _ definition: ResourceDefinition, namespace: String = "", labels: LabelSelector = .everything,
        fields: FieldSelector = .everything
    ) async throws -> [JSON] {
        var items: [JSON] = []
        var continuation: String?
        let selection = ResourceSelection(namespace: namespace, labels: labels, fields: fields)
        repeat {
            let page = try await resourceCall { client throws(ResourceClientError) in
                try await client.list(APIResource(definition), selection, limit: 500, continuation: continuation)
            }
            items += page.items
            continuation = page.continuation
        } while continuation != nil
        return items
    }

    /// One object; where there is none, a failure that names what is near.
    func get(_ definition: ResourceDefinition, namespace: String, name: String) async throws -> JSON {
        do {
            return try await resourceCall { client throws(ResourceClientError) in
                try await client.get(APIResource(definition), namespace: namespace, name: name)
            }
        } catch let refusal as ServerRefusal where refusal.error.code == 404 {
            throw try await notFound(definition, namespace: namespace, name: name)
        }
    }

    /// `agent "web-07:9100" not found`, with what is near and how to see what there is.
    func notFound(_ definition: ResourceDefinition, namespace: String, name: String) async throws -> CommandFailure {
        let names = try await list(definition, namespace: namespace).compactMap { $0[path: "metadata", "name"]?.stringValue }
        let near = NearestName.find(name, among: names) ?? names.first { $0.hasPrefix(name) || name.hasPrefix($0) }
        let place = definition.names.scope == .namespaced && !namespace.isEmpty ? " in namespace \(namespace)" : ""
        var hints: [String] = []
        if let near { hints.append("Near: \(near).") }
        hints.append("See what there is: kubediag get \(definition.plural)\(place.isEmpty ? "" : " -n \(namespace)")")
        return CommandFailure("\(definition.names.singular) \"\(name)\" not found\(place)", hints: hints)
    }

    /// Runs a call of the resource client and puts its errors into the words of this program.
    func resourceCall<Value: Sendable>(
        _ body: (ResourceClient) async throws(ResourceClientError) -> Value
    ) async throws -> Value {
        do throws(ResourceClientError) {
            return try await body(resources)
        } catch {
            throw explained(error)
        }
    }

    func explained(_ error: ResourceClientError) -> any Error {
        switch error {
        case .api(let error): ServerRefusal(error: error, address: server, tokenFile: tokenFile)
        case .transport(let error): unreachable(error, .router)
        case .unreadable(let message), .notSent(let message): CommandFailure(message)
        }
    }
}
