import Glibc

/// Decides what happens to a child: when its group is signalled, when its pipes are given up and when it has ended.
///
/// The child is not reaped before `finish`: while its zombie is there, its process group's number can't belong to anyone else.
struct ChildLifecycle {
    enum Event {
        case leaderExited
        case pipesClosed
        case cancelled
        case clock
    }

    enum Action: Equatable {
        case signalGroup(Int32)
        /// Kill descendants outside of the group that carry the marker.
        case endEscaped
        case finish
    }

    typealias Instant = ContinuousClock.Instant

    private enum Phase {
        case running(until: Instant?)
        case terminating(killAt: Instant)
        case killed(giveUpAt: Instant)
        /// The leader is gone, somebody holds its pipes.
        case lingering(killAt: Instant)
        case closing(giveUpAt: Instant)
        case finished
    }

    private let limits: ProcessLimits
    private var phase: Phase
    private var leaderGone = false
    private var pipesGone = false
    private(set) var cause: ProcessOutcome.Cause = .byItself
    private(set) var wasKilled = false

    init(limits: ProcessLimits, timeout: Duration?, startedAt: Instant) {
        self.limits = limits
        phase = .running(until: timeout.map { startedAt + $0 })
    }

    var nextDeadline: Instant? {
        switch phase {
        case .running(let until): until
        case .terminating(let at), .killed(let at), .lingering(let at), .closing(let at): at
        case .finished: nil
        }
    }

    var isStuck: Bool { !leaderGone }

    mutating func apply(_ event: Event, at now: Instant) -> [Action] {
        if case .finished = phase { return [] }
        switch event {
        case .leaderExited:
            leaderGone = true
            if pipesGone { return end() }
            if case .killed = phase { return close(at: now) }
            phase = .lingering(killAt: now + limits.pipeGrace)
            return []
        case .pipesClosed:
            pipesGone = true
            return leaderGone ? end() : []
        case .cancelled:
            return stop(.cancelled, at: now)
        case .clock:
            guard let deadline = nextDeadline, deadline <= now else { return [] }
            return expire(at: now)
        }
    }

    private mutating func expire(at now: Instant) -> [Action] {
        switch phase {
        case .running:
            return stop(.timedOut, at: now)
        case .terminating:
            wasKilled = true
            phase = .killed(giveUpAt: now + limits.stuckGrace)
            return [.signalGroup(SIGKILL)]
        case .lingering:
            return close(at: now)
        case .killed, .closing:
            return end()
        case .finished:
            return []
        }
    }

    private mutating func stop(_ cause: ProcessOutcome.Cause, at now: Instant) -> [Action] {
        switch phase {
        case .running:
            self.cause = cause
            phase = .terminating(killAt: now + limits.terminationGrace)
            return [.signalGroup(SIGTERM)]
        case .lingering:
            return close(at: now)
        case .terminating, .killed, .closing, .finished:
            return []
        }
    }

    /// Whoever still holds the pipes is killed, and the pipes are drained for one more grace.
    private mutating func close(at now: Instant) -> [Action] {
        phase = .closing(giveUpAt: now + limits.pipeGrace)
        return [.signalGroup(SIGKILL), .endEscaped]
    }

    private mutating func end() -> [Action] {
        phase = .finished
        return [.signalGroup(SIGKILL), .finish]
    }
}
