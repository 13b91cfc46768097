import HTTPMessage
public import Model

/// Where the objects of one kind are found on a server that follows the Kubernetes API conventions.
public struct APIResource: Sendable, Hashable {
    /// The API group; empty for Kubernetes' core kinds.
    public var group: String
    public var version: String
    public var plural: String
    public var kind: String
    public var isNamespaced: Bool

    /// A kind that is not ours, such as Kubernetes' `Node`: `APIResource(group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false)`.
    public init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// A kind that we know.
    public init(_ definition: ResourceDefinition) {
        self.init(
            group: definition.groupVersion.group, version: definition.groupVersion.version, plural: definition.plural,
            kind: definition.kind, isNamespaced: definition.names.scope == .namespaced)
    }

    /// `/apis/GROUP/VERSION[/namespaces/NS]/PLURAL[/NAME[/SUBRESOURCE]]`, or below `/api` for core kinds; every part is percent-encoded, so
    /// that no name reaches another path.
    public func path(namespace: String = "", name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, !namespace.isEmpty { path += "/namespaces/\(segment(namespace))" }
        path += "/\(segment(plural))"
        if let name { path += "/\(segment(name))" }
        if let subresource { path += "/\(segment(subresource))" }
        return path
    }

    /// `.` and `..` need no encoding by RFC 3986 but mean something in a path.
    private func segment(_ text: String) -> String {
        text == "." || text == ".." ? text.replacing(".", with: "%2E") : PercentEncoding.encode(text)
    }
}
