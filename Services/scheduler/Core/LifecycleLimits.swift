import Model

/// The deadlines of a diagnosis' life, in seconds of the scheduler's clock.
package struct LifecycleLimits: Sendable, Hashable {
    /// How long a missing OperationSet or agent may still appear.
    package var resolveGraceSeconds: Double = 10
    /// How long after its creation a diagnosis may still wait for its pod to get a node, or for Kubernetes to be asked; and at least for
    /// `resolveGraceSeconds` of this process' life, so that a scheduler that was away for long asks before it gives up.
    package var targetSecondsMax: Double = 300
    /// How long a diagnosis may wait for an agent; time spent paused does not count.
    package var pendingSecondsMax: Double = 3600
    /// How long the agent of a dispatched diagnosis may be away at least before Unknown turns into Failed.
    package var unknownSecondsMax: Double = 300
    /// What the agent has, past the deadline it was given, to end its processes and to report.
    package var deadlineGraceSeconds: Double = 15
    /// Bounds of the pause between two attempts at the same errand (resolving, sending a job, sending a cancel).
    package var retrySecondsMin: Double = 0.2
    package var retrySecondsMax: Double = 5

    package init() {}

    /// The pause after `failures` failures in a row: doubling, without jitter because one scheduler talks to one agent.
    func pause(afterFailures failures: Int) -> Double {
        var pause = retrySecondsMin
        for _ in 1..<max(1, min(failures, 16)) where pause < retrySecondsMax { pause *= 2 }
        return min(pause, retrySecondsMax)
    }
}

/// What a decision may depend on beside the diagnosis itself.
package struct Surroundings: Sendable, Hashable {
    package var isPaused = false
    /// When dispatch was last resumed; waiting before that was not the agents' fault.
    package var resumedAt: Timestamp?
    /// More than half of the agents went silent together, this one among them: it is us who are cut off.
    package var isMassLapse = false
    /// As many nodes are being changed as may be, and this one would be another.
    package var isBeyondBlastRadius = false

    package init(isPaused: Bool = false, resumedAt: Timestamp? = nil, isMassLapse: Bool = false, isBeyondBlastRadius: Bool = false) {
        self.isPaused = isPaused
        self.resumedAt = resumedAt
        self.isMassLapse = isMassLapse
        self.isBeyondBlastRadius = isBeyondBlastRadius
    }
}
