import JSONCoding
import Model
import ServiceKit

/// All kinds of a group, its versions and subresources in one document, Kubernetes' `APIGroupDiscoveryList`
/// (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery): kubectl then asks twice where it would ask for each
/// version else.
struct AggregatedDiscovery: Sendable {
    /// The versions of the document's own kind. They hold the same.
    enum Version: String, Sendable, Hashable, CaseIterable {
        case v2, v2beta1

        private static let group = "apidiscovery.k8s.io"
        private static let kind = "APIGroupDiscoveryList"

        var groupVersion: String { "\(Self.group)/\(rawValue)" }
        /// What is asked for in `Accept`, and by which clients know the answer.
        var mediaType: String { "\(MediaTypes.json);g=\(Self.group);v=\(rawValue);as=\(Self.kind)" }

        /// The version that `Accept` asks for before plain JSON; nil where it asks for none of them, or for JSON first.
        init?(accept: String?) {
            for parameters in MediaTypes.ranges(accept) {
                guard let type = parameters.first, type == MediaTypes.json || type == "*/*" || type == "application/*" else { continue }
                guard let wanted = parameters.first(where: { $0.hasPrefix("as=") }) else { return nil }
                guard wanted == "as=\(Self.kind.lowercased())", parameters.contains("g=\(Self.group)") else { continue }
                if let version = Self.allCases.first(where: { parameters.contains("v=\($0.rawValue)") }) {
                    self = version
                    return
                }
            }
            return nil
        }
    }

    private let kinds: [ServedKind]
    private let groupVersion: GroupVersion

    init(_ kinds: [ServedKind], of groupVersion: GroupVersion) {
        self.kinds = kinds.filter { $0.definition.groupVersion == groupVersion }
        self.groupVersion = groupVersion
    }

    var contents: [Version: CacheableContent] {
        Dictionary(
            uniqueKeysWithValues: Version.allCases.map { ($0, CacheableContent(document($0).encoded(), contentType: $0.mediaType)) })
    }

    private func document(_ version: Version) -> JSON {
        let resources = (groupVersion == .core ? [Self.namespaces] : []) + kinds.map(resource)
        let served: JSON = ["version": .string(groupVersion.version), "resources": .array(resources), "freshness": "Current"]
        // Kubernetes' own group has no name.
        let metadata: JSON = groupVersion.group.isEmpty ? [:] : ["name": .string(groupVersion.group)]
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string(version.groupVersion), "metadata": [:],
            "items": [["metadata": metadata, "versions": [served]]],
        ]
    }

    private func resource(_ kind: ServedKind) -> JSON {
        let names = kind.definition.names
        var resource: JSON = [
            "resource": .string(names.plural), "responseKind": responseKind(names.kind), "scope": .string(names.scope.rawValue),
            "singularResource": .string(names.singular), "verbs": kind.verbNames,
            "shortNames": .array(names.shortNames.map(JSON.string)), "categories": kind.categories,
        ]
        if kind.definition.hasStatus {
            resource["subresources"] = [
                ["subresource": "status", "responseKind": responseKind(names.kind), "verbs": kind.statusVerbNames]
            ]
        }
        return resource
    }

    private func responseKind(_ kind: String) -> JSON {
        ["group": .string(groupVersion.group), "version": .string(groupVersion.version), "kind": .string(kind)]
    }

    private static let namespaces: JSON = [
        "resource": "namespaces", "responseKind": ["group": "", "version": "v1", "kind": "Namespace"], "scope": "Cluster",
        "singularResource": "namespace", "verbs": ["get"], "shortNames": ["ns"], "categories": [],
    ]
}
