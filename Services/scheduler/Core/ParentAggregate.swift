import Model

/// A diagnosis of several nodes: its children, counted, and what follows for it.
///
/// The node list is pinned when the parent is first looked at, in the transaction that creates all children, so no child can be missing for any
/// other reason than that somebody deleted it.
package struct ParentAggregate: Sendable, Hashable, Codable {
    package enum Child: String, Sendable, Hashable, Codable {
        case active, unknown, succeeded, failed
        /// It is gone; counted as failed.
        case deleted

        package init(_ phase: DiagnosisPhase?) {
            self =
                switch phase {
                case .succeeded: .succeeded
                case .failed: .failed
                case .unknown: .unknown
                case .pending, .running, nil: .active
                }
        }

        package var isFinished: Bool { self == .succeeded || self == .failed || self == .deleted }
    }

    package struct Ending: Sendable, Hashable, Codable {
        package var failure: Failure?
        package var at: Timestamp
    }

    package let uid: UID
    package let startedAt: Timestamp
    package let activeDeadlineSeconds: Double
    /// The nodes, pinned, in the order of the target.
    package let nodes: [NodeName]
    package private(set) var children: [NodeName: Child]
    package private(set) var isCancelRequested = false
    package private(set) var isDeadlineExceeded = false
    package private(set) var ending: Ending?

    package init(uid: UID, nodes: [NodeName], activeDeadlineSeconds: Double, at now: Timestamp) {
        self.uid = uid
        self.nodes = nodes
        self.activeDeadlineSeconds = activeDeadlineSeconds
        startedAt = now
        children = Dictionary(uniqueKeysWithValues: nodes.map { ($0, .active) })
    }

    package enum Event: Sendable, Hashable {
        case child(NodeName, Child)
        case cancelRequested
        case clock
    }

    package enum Action: Sendable, Hashable {
        case cancelChild(NodeName)
    }

    /// Applies one event; the children's own writes are the truth, so nothing here needs to be durable before the parent ends.
    package mutating func apply(_ event: Event, at now: Timestamp, limits: LifecycleLimits) -> [Action] {
        guard ending == nil else { return [] }
        switch event {
        case .child(let node, let state):
            guard let before = children[node], !before.isFinished else { return [] }
            children[node] = state
            finishIfComplete(at: now)
            return []
        case .cancelRequested:
            guard !isCancelRequested else { return [] }
            isCancelRequested = true
            return cancelUnfinished()
        case .clock:
            guard now >= deadline(limits), !isDeadlineExceeded else { return [] }
            isDeadlineExceeded = true
            return isCancelRequested ? [] : cancelUnfinished()
        }
    }

    /// The children have their own deadlines, counted from their dispatch; the parent's ends those that are late even so.
    package func deadline(_ limits: LifecycleLimits) -> Timestamp {
        startedAt.adding(seconds: limits.pendingSecondsMax + activeDeadlineSeconds + limits.deadlineGraceSeconds)
    }

    private func cancelUnfinished() -> [Action] {
        nodes.filter { children[$0]?.isFinished == false }.map { .cancelChild($0) }
    }

    private mutating func finishIfComplete(at now: Timestamp) {
        guard children.values.allSatisfy(\.isFinished) else { return }
        ending = Ending(failure: failure, at: now)
    }

    private var failure: Failure? {
        let failed = nodes.filter { children[$0] != .succeeded }
        guard !failed.isEmpty else { return nil }
        if isCancelRequested { return Failure(.cancelled, "cancelled on request") }
        if isDeadlineExceeded { return Failure(.deadlineExceeded, "children were not finished in time") }
        let listed = failed.prefix(10).map(\.rawValue).joined(separator: ", ")
        return Failure(
            .childrenFailed, "\(failed.count) of \(nodes.count) failed: \(listed)\(failed.count > 10 ? ", …" : "")")
    }
}

extension ParentAggregate {
    package var phase: DiagnosisPhase {
        guard let ending else { return .running }
        return ending.failure == nil ? .succeeded : .failed
    }

    package var unknownNodes: [NodeName] { nodes.filter { children[$0] == .unknown } }

    package var counts: Aggregate {
        let succeeded = children.values.count { $0 == .succeeded }
        let failed = children.values.count { $0 == .failed || $0 == .deleted }
        return Aggregate(
            desired: nodes.count, active: nodes.count - succeeded - failed, succeeded: succeeded, failed: failed,
            nodes: nodes.map(\.rawValue))
    }
}
