import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// The kinds of the API group that one process serves, as rows for its endpoint table.
///
/// Paths, verbs, parameters and errors are those of the Kubernetes API
/// (https://kubernetes.io/docs/reference/using-api/api-concepts/), so that its clients work here.
public struct ServedGroup: Sendable {
    private let kinds: [ServedKind]
    private let clock: @Sendable () -> Timestamp

    /// - Parameter clock: gives creation and deletion times and judges the age of continue tokens.
    public init(_ kinds: [ServedKind], clock: @escaping @Sendable () -> Timestamp = { WallClock.now() }) {
        self.kinds = kinds
        self.clock = clock
    }

    /// A row for every verb of every kind, and for the discovery documents.
    public var endpoints: [Endpoint] {
        kinds.flatMap { KindEndpoints($0, clock: clock).all } + Discovery(kinds).endpoints
    }
}
