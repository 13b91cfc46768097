import Model

/// The life of one diagnosis on one node: events in, actions out.
///
/// Its owner applies an event to a copy, writes the copy down as far as `Decision.durability` asks, puts it in place of the original and only
/// then performs the actions. A scheduler that dies in between forgets actions, never promises: every action is derived again from the state
/// by `recover(at:)`. Phases move ∅→Pending→Running→(Succeeded|Failed), Pending→Failed, (dispatched Pending|Running)↔Unknown and
/// Unknown→(Succeeded|Failed); a finished one never changes.
package struct DiagnosisMachine: Sendable, Hashable, Codable {
    package enum Stage: Sendable, Hashable, Codable {
        /// Its node or its plan are not known yet.
        case resolving(Hold?)
        /// Waits for a slot of the node's agent.
        case queued(NodeName)
        /// The plan is pinned and the intent to dispatch is written down: from here on the agent may have it.
        case dispatched(Dispatch)
        case finished(Ending)
    }

    package let uid: UID
    package let createdAt: Timestamp
    package let activeDeadlineSeconds: Double
    package internal(set) var stage: Stage
    /// One-way: set once, never taken back.
    package internal(set) var isCancelRequested = false
    /// The object has a deletionTimestamp and goes when this ends.
    package internal(set) var isDeletionRequested = false
    /// When to try an errand again; forgotten by a restart, which tries at once.
    package internal(set) var retry = Retry()

    package init(uid: UID, createdAt: Timestamp, activeDeadlineSeconds: Double = 3600) {
        self.uid = uid
        self.createdAt = createdAt
        self.activeDeadlineSeconds = activeDeadlineSeconds
        stage = .resolving(nil)
    }

    private enum CodingKeys: String, CodingKey {
        case uid, createdAt, activeDeadlineSeconds, stage, isCancelRequested, isDeletionRequested
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        uid = try container.decode(UID.self, forKey: .uid)
        createdAt = try container.decode(Timestamp.self, forKey: .createdAt)
        activeDeadlineSeconds = try container.decode(Double.self, forKey: .activeDeadlineSeconds)
        stage = try container.decode(Stage.self, forKey: .stage)
        isCancelRequested = try container.decode(Bool.self, forKey: .isCancelRequested)
        isDeletionRequested = try container.decode(Bool.self, forKey: .isDeletionRequested)
    }
}

extension DiagnosisMachine {
    package var phase: DiagnosisPhase {
        switch stage {
        case .resolving, .queued: .pending
        case .dispatched(let dispatch): dispatch.unknownSince != nil ? .unknown : dispatch.isRunning ? .running : .pending
        case .finished(let ending): ending.succeeded ? .succeeded : .failed
        }
    }

    package var isFinished: Bool {
        if case .finished = stage { true } else { false }
    }

    /// The dispatch under way, or the last one of a finished diagnosis.
    package var dispatch: Dispatch? {
        switch stage {
        case .dispatched(let dispatch): dispatch
        case .finished(let ending): ending.dispatch
        case .resolving, .queued: nil
        }
    }

    /// The node it is bound to, nil while it is being resolved.
    package var node: NodeName? {
        switch stage {
        case .resolving: nil
        case .queued(let node): node
        case .dispatched(let dispatch): dispatch.node
        case .finished(let ending): ending.node
        }
    }

    /// Whether it takes up one of its agent's slots.
    package var occupiesSlot: Bool {
        if case .dispatched = stage { true } else { false }
    }
}
