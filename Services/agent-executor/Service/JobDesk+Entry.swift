import AgentExecutorCore
import Model

extension JobDesk {
    struct Limits: Sendable {
        var queuedMax: Int
    }

    struct Entry: Sendable {
        var key: JobKey
        var job: Job
        var clock: JobClock
        var run: JobRun
        var evidence: [EvidenceItem] = []
        var stage = Stage.waiting
        var stopReason: JobEnd.Reason?
        /// Stops what runs now, a step or a pause.
        var interrupt: (@Sendable () -> Void)?
        /// Grows with each change of the run.
        var version = 0
        var delivery = DeliveryState()
    }

    enum Stage: Sendable, Equatable {
        /// Behind a lower attempt whose processes are being ended.
        case blocked
        case waiting
        case running
        /// Its end is durable and not yet acknowledged.
        case ended
    }
}

/// What is remembered of a job whose end the scheduler has taken.
struct SettledJob: Sendable, Hashable {
    var attempt: Int
    var endedAt: Timestamp
    /// Of its evidence.
    var bytes: Int64
}

/// Uids in the order they came.
struct JobQueue: Sendable {
    private var items: [UID] = []
    private var head = 0

    var count: Int { items.count - head }

    mutating func push(_ uid: UID) { items.append(uid) }

    mutating func pop() -> UID? {
        guard head < items.count else { return nil }
        head += 1
        let uid = items[head - 1]
        if head > 64, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return uid
    }
}

/// Where the reports of a job stand.
struct DeliveryState: Sendable {
    var policy = ReportDelivery()
    var cut = ReportCut.none
    var lastSeq: Int64 = 0
    var reportedVersion = 0
    var isUnderWay = false
    /// Refused in a way that sending again does not mend.
    var isParked = false
    var dueAt = ContinuousClock.now
}
