/// What names an object within a store: its kind's plural, its namespace (empty for a cluster-scoped kind) and its name.
public struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    public var plural: String
    public var namespace: String
    public var name: String

    public init(plural: String, namespace: String = "", name: String) {
        self.plural = plural
        self.namespace = namespace
        self.name = name
    }

    public var description: String {
        namespace.isEmpty ? "\(plural)/\(name)" : "\(plural)/\(namespace)/\(name)"
    }
}
