/// What a deletion means to the objects that name the deleted one as their owner: Kubernetes' `propagationPolicy`.
public enum DeletionPropagation: String, Sendable, Hashable, CaseIterable {
    /// The object goes at once, its dependents soon afterwards.
    case background = "Background"
    /// The object stays, marked, until the dependents that block it are gone.
    case foreground = "Foreground"
    /// The object stays, marked, until its dependents no longer name it; they stay.
    case orphan = "Orphan"

    /// The finalizer by which an object waits for its dependents; none in the background.
    public var finalizer: String? {
        switch self {
        case .background: nil
        case .foreground: "foregroundDeletion"
        case .orphan: "orphan"
        }
    }

    /// The finalizers of garbage collection itself.
    public static let finalizers = Set(allCases.compactMap(\.finalizer))
}
