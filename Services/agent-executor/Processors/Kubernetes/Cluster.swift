import AgentOperations
import HTTPClient
import JSONCoding
import KubernetesConnection
import Model
import ResourceClient

/// The Kubernetes cluster as operations see it: every failure says what was asked and what is missing.
struct Cluster: Sendable {
    let connection: KubernetesConnection?

    private static let callSecondsMax = 20.0

    func get(
        _ resource: APIResource, namespace: String = "", name: String, _ context: BuiltInContext
    ) async throws(BuiltInFault) -> JSON {
        try await ask("get", resource, namespace, name, context) { (client) async throws(ResourceClientError) in
            try await client.get(resource, namespace: namespace, name: name)
        }
    }

    /// Every object of a selection, read in pages.
    func list(
        _ resource: APIResource, _ selection: ResourceSelection, objectsMax: Int, _ context: BuiltInContext
    ) async throws(BuiltInFault) -> [JSON] {
        var items: [JSON] = []
        var continuation: String?
        repeat {
            let next = continuation
            let page = try await ask("list", resource, selection.namespace, nil, context) { (client) async throws(ResourceClientError) in
                try await client.list(resource, selection, limit: Self.pageObjects, continuation: next)
            }
            items += page.items
            guard items.count <= objectsMax else { throw .failed("there are more than \(objectsMax) \(resource.plural)") }
            continuation = page.continuation
        } while continuation != nil
        return items
    }

    private static let pageObjects = 500

    func mergePatch(_ resource: APIResource, name: String, _ patch: JSON, _ context: BuiltInContext) async throws(BuiltInFault) {
        _ = try await ask("patch", resource, "", name, context) { (client) async throws(ResourceClientError) in
            try await client.mergePatch(resource, name: name, patch, WriteParameters(fieldManager: "kubediag"))
        }
    }

    func delete(
        _ resource: APIResource, namespace: String, name: String, _ conditions: DeletePreconditions, _ context: BuiltInContext
    ) async throws(BuiltInFault) {
        _ = try await ask("delete", resource, namespace, name, context) { (client) async throws(ResourceClientError) in
            try await client.delete(resource, namespace: namespace, name: name, conditions)
        }
    }

    private func ask<Value: Sendable>(
        _ verb: String, _ resource: APIResource, _ namespace: String, _ name: String?, _ context: BuiltInContext,
        _ call: (ResourceClient) async throws(ResourceClientError) -> Value
    ) async throws(BuiltInFault) -> Value {
        guard let connection else {
            throw .unavailable("no Kubernetes cluster is connected to this agent (--kubeconfig, --kubernetes)")
        }
        var client = connection.client
        client.timeoutSeconds = min(context.timeoutSeconds, Self.callSecondsMax)
        do throws(ResourceClientError) {
            return try await call(client)
        } catch {
            let place = namespace.isEmpty ? "" : " in the namespace \(namespace)"
            let object = name.map { "\(resource.kind) \(namespace.isEmpty ? $0 : "\(namespace)/\($0)")" } ?? resource.plural + place
            throw Self.fault(error, "\(verb) \(object)", "the verb \(verb) on \(resource.plural)\(place)", "\(connection.access.server)")
        }
    }

    private static func fault(_ error: ResourceClientError, _ what: String, _ right: String, _ server: String) -> BuiltInFault {
        switch error {
        case .transport(.cancelled): .cancelled
        case .transport(.timedOut): .timedOut("the kube-apiserver at \(server) did not answer in time: \(what)")
        case .transport(let cause): .unavailable("the kube-apiserver at \(server) can't be asked: \(cause)")
        case .api(let refusal) where refusal.code == 401 || refusal.code == 403:
            .privilegeMissing(what: "\(what) (\(refusal.message))", needs: "\(right) for the agent's account")
        case .api(let refusal): .failed("\(what): \(refusal.message)")
        case .unreadable(let text), .notSent(let text): .failed("\(what): \(text)")
        }
    }
}

/// The parts of an object that matter here.
extension JSON {
    var name: String? { self[path: "metadata", "name"]?.stringValue }
    var namespace: String? { self[path: "metadata", "namespace"]?.stringValue }
    var uid: String? { self[path: "metadata", "uid"]?.stringValue }

    /// Without `metadata.managedFields`, which tell who wrote which member and are as long as all the rest.
    var withoutManagedFields: JSON {
        var object = self
        object["metadata"]?["managedFields"] = nil
        return object
    }

    /// The owner that controls it, or its only one.
    func owner(ofKind kind: String) -> String? {
        self[path: "metadata", "ownerReferences"]?.arrayValue?.first { $0["kind"]?.stringValue == kind }?["name"]?.stringValue
    }
}
