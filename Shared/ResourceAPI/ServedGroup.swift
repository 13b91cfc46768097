import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// The kinds that one process serves, as rows for its endpoint table.
///
/// Paths, verbs, parameters and errors are those of the Kubernetes API
/// (https://kubernetes.io/docs/reference/using-api/api-concepts/), so that its clients work here.
public struct ServedGroup: Sendable {
    private let kinds: [ServedKind]
    private let clock: @Sendable () -> Timestamp
    /// The lines of each kind's watches, in the order of the kinds.
    package let lines: [WatchLines]

    /// - Parameter clock: gives creation and deletion times and judges the age of continue tokens.
    public init(_ kinds: [ServedKind], clock: @escaping @Sendable () -> Timestamp = { WallClock.now() }) {
        self.kinds = kinds
        self.clock = clock
        lines = kinds.map { WatchLines($0.definition, clock: clock) }
    }

    /// A row for every verb of every kind, for the discovery documents, and for the OpenAPI documents.
    public var endpoints: [Endpoint] {
        let sections = sections
        return sections.flatMap(\.endpoints) + Discovery(kinds).endpoints + OpenAPIEndpoints(OpenAPIDocument.all(sections)).all
    }

    private var sections: [OpenAPIDocument.Section] {
        zip(kinds, lines).map { kind, lines in
            OpenAPIDocument.Section(definition: kind.definition, endpoints: KindEndpoints(kind, lines: lines, clock: clock).all)
        }
    }
}
