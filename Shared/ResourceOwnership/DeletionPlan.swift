public import JSONCoding
public import Model

/// What a deletion does to the object that it is about, as kube-apiserver decides it.
public enum DeletionPlan: Sendable, Hashable {
    /// Nobody holds it: it is removed.
    case remove
    /// It is marked, or held by other finalizers than before: this is stored in its place.
    case store(JSON)
    /// It is being deleted like this already.
    case keep

    /// - Parameter propagation: nil leaves it to the finalizers that the object has, and is a background deletion where there are none.
    public init(_ document: JSON, _ propagation: DeletionPropagation?, at now: Timestamp) {
        let before = document.finalizers
        var after = before
        if let propagation {
            after.removeAll { DeletionPropagation.finalizers.contains($0) && $0 != propagation.finalizer }
            if let finalizer = propagation.finalizer, !after.contains(finalizer) { after.append(finalizer) }
        }
        guard !after.isEmpty else {
            self = .remove
            return
        }
        if document.isBeingDeleted, after == before {
            self = .keep
            return
        }
        var marked = document
        marked.finalizers = after
        if !document.isBeingDeleted {
            marked["metadata"]?["deletionTimestamp"] = .string(now.wholeSeconds.description)
            marked["metadata"]?["deletionGracePeriodSeconds"] = 0
        }
        self = .store(marked)
    }

    /// What becomes of an object that is being deleted when this finalizer is done with it.
    public init(_ document: JSON, without finalizer: String) {
        guard document.isBeingDeleted, document.finalizers.contains(finalizer) else {
            self = .keep
            return
        }
        var freed = document
        freed.finalizers = document.finalizers.filter { $0 != finalizer }
        self = freed.finalizers.isEmpty ? .remove : .store(freed)
    }
}

extension JSON {
    /// The names of those who must agree before an object goes.
    public internal(set) var finalizers: [String] {
        get { self[path: "metadata", "finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        set { self["metadata"]?["finalizers"] = newValue.isEmpty ? nil : .array(newValue.map(JSON.string)) }
    }

    public var isBeingDeleted: Bool { self[path: "metadata", "deletionTimestamp"]?.stringValue != nil }
}
