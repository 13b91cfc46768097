public import HTTPClient
public import Model
public import ResourceClient
import ResourceOwnership
public import ServiceKit

/// Another process whose objects may own ours, or belong to ours.
public struct OwnerService: Sendable {
    /// As it is called in the log.
    public let name: String
    public let client: ResourceClient
    /// The kinds that it owns.
    public let definitions: [ResourceDefinition]

    public init(name: String, client: ResourceClient, definitions: [ResourceDefinition]) {
        self.name = name
        self.client = client
        self.definitions = definitions
    }

    /// The service at `url`, which is shown this process' own token.
    public init(name: String, at url: HTTPURL, _ context: ServiceContext, _ http: HTTPClient, owning definitions: [ResourceDefinition]) {
        let token = context.clientToken
        let credentials: ClientCredentials = token.map { token in .provider { token.authorization } } ?? .anonymous
        self.init(name: name, client: ResourceClient(baseURL: "\(url)", credentials: credentials, http: http), definitions: definitions)
    }

    /// Whether an object of one of its kinds may have an owner in `namespace`, which is empty for a cluster-scoped owner.
    func mayDepend(onOwnerIn namespace: String) -> Bool {
        namespace.isEmpty || definitions.contains { $0.names.scope == .namespaced }
    }

    /// The object that a reference in `namespace` names, or nil where there is none of that uid.
    ///
    /// Throws where that can't be known. An absence is believed only once a list of the kind has told it: a 404 may have come of a wrong URL.
    func owner(_ reference: OwnerReference, _ definition: ResourceDefinition, in namespace: String) async throws(ResourceClientError)
        -> OwnedObject?
    {
        let resource = APIResource(definition)
        let namespace = resource.isNamespaced ? namespace : ""
        do throws(ResourceClientError) {
            let json = try await client.get(resource, namespace: namespace, name: reference.name)
            guard json["kind"]?.stringValue == definition.kind, let found = OwnedObject(json, plural: definition.plural) else {
                throw .unreadable("the answer is no \(definition.kind)")
            }
            return found.uid == reference.uid ? found : nil
        } catch {
            guard error.code == 404 else { throw error }
        }
        let selection = ResourceSelection(
            namespace: namespace, fields: FieldSelector(requirements: [.init(field: "metadata.name", value: reference.name)]))
        for json in try await client.list(resource, selection).items {
            if let found = OwnedObject(json, plural: definition.plural), found.uid == reference.uid { return found }
        }
        return nil
    }
}
