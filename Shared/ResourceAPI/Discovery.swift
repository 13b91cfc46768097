import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// The documents from which clients learn what is served, and the little of Kubernetes' own API that they take for granted.
struct Discovery: Sendable {
    private let kinds: [ServedKind]

    init(_ kinds: [ServedKind]) {
        self.kinds = kinds
    }

    var endpoints: [Endpoint] {
        [
            endpoint(
                "/apis", "Lists the API groups.", ["kind": "APIGroupList", "apiVersion": "v1", "groups": [group]],
                AggregatedDiscovery(kinds, of: .diagnosis)),
            endpoint("/apis/\(API.group)", "Describes the API group.", group.merged(["kind": "APIGroup", "apiVersion": "v1"])),
            endpoint("/apis/\(API.groupVersion)", "Lists the kinds that are served.", resources),
            endpoint(
                "/api", "Lists the versions of Kubernetes' own API.", ["kind": "APIVersions", "versions": ["v1"]],
                AggregatedDiscovery(kinds, of: .core)),
            endpoint("/api/v1", "Lists the kinds of Kubernetes' own API that are served.", coreResources),
            endpoint("/version", "Tells which Kubernetes' API this speaks.", KubernetesVersion.document),
            // The client for Python asks for this one.
            endpoint("/version/", "Tells which Kubernetes' API this speaks.", KubernetesVersion.document),
            namespace,
        ]
    }

    /// Every valid name is a namespace. kubectl looks when an object is missing, and would call the namespace missing instead.
    private var namespace: Endpoint {
        Endpoint(
            .get, "/api/v1/namespaces/{namespace}", access: .anyone, limits: RouteLimits(bodyBytesMax: 0), summary: "Tells of a namespace."
        ) { call throws(APIError) in
            let name = call.parameter("namespace")
            if let fault = Names.labelFault(name) { throw .badRequest("namespace \"\(name)\": \(fault)") }
            let namespace: JSON = [
                "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)], "status": ["phase": "Active"],
            ]
            return .json(namespace.encoded())
        }
    }

    /// Not empty: clients take that for a fault.
    private var coreResources: JSON {
        let namespaces: JSON = [
            "name": "namespaces", "singularName": "namespace", "kind": "Namespace", "namespaced": false, "shortNames": ["ns"],
            "verbs": ["get"],
        ]
        return [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": .array([namespaces] + resources(of: .core)),
        ]
    }

    private func endpoint(_ template: String, _ summary: String, _ document: JSON) -> Endpoint {
        let bytes = document.encoded()
        return Endpoint(.get, template, access: .anyone, limits: RouteLimits(bodyBytesMax: 0), summary: summary) { _ in .json(bytes) }
    }

    /// The document, or for clients that ask for it the aggregated one, which spares them those of the versions.
    private func endpoint(_ template: String, _ summary: String, _ document: JSON, _ aggregated: AggregatedDiscovery) -> Endpoint {
        let plain = CacheableContent(document.encoded(), contentType: MediaTypes.json)
        let contents = aggregated.contents
        return Endpoint(.get, template, access: .anyone, limits: RouteLimits(bodyBytesMax: 0), summary: summary) { call in
            let headers = call.request.headers
            let version = AggregatedDiscovery.Version(accept: headers["Accept"])
            var response = Response.cacheable(version.flatMap { contents[$0] } ?? plain, to: headers)
            response.headers.add("Vary", "Accept")
            return response
        }
    }

    private var group: JSON {
        let version: JSON = ["groupVersion": .string(API.groupVersion), "version": .string(API.version)]
        return ["name": .string(API.group), "versions": [version], "preferredVersion": version]
    }

    private var resources: JSON {
        [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(API.groupVersion),
            "resources": .array(resources(of: .diagnosis)),
        ]
    }

    private func resources(of groupVersion: GroupVersion) -> [JSON] {
        kinds.filter { $0.definition.groupVersion == groupVersion }.flatMap { kind in
            [resource(kind)] + (kind.definition.hasStatus ? [status(kind)] : [])
        }
    }

    private func resource(_ kind: ServedKind) -> JSON {
        let names = kind.definition.names
        return [
            "name": .string(names.plural), "singularName": .string(names.singular), "kind": .string(names.kind),
            "namespaced": .bool(names.scope == .namespaced), "shortNames": .array(names.shortNames.map(JSON.string)),
            "categories": kind.categories,
            "verbs": kind.verbNames,
        ]
    }

    private func status(_ kind: ServedKind) -> JSON {
        let names = kind.definition.names
        return [
            "name": .string("\(names.plural)/status"), "singularName": "", "kind": .string(names.kind),
            "namespaced": .bool(names.scope == .namespaced), "verbs": kind.statusVerbNames,
        ]
    }
}

extension ServedKind {
    var verbNames: JSON { .array(verbs.map(\.rawValue).sorted().map(JSON.string)) }
    var statusVerbNames: JSON { isStatusWritable ? ["get", "patch", "update"] : ["get"] }
    /// What happened to the objects is none of them.
    var categories: JSON { definition.groupVersion == .diagnosis ? [.string(API.category)] : [] }
}

extension JSON {
    fileprivate func merged(_ members: [String: JSON]) -> JSON {
        .object((objectValue ?? [:]).merging(members) { _, new in new })
    }
}
