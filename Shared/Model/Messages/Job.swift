/// `PUT /api/v1/jobs/{uid}` at an agent: everything that it needs; it asks nothing back. Answered 202 once it is journaled.
public struct Job: Codable, Sendable, Hashable {
    public var uid: UID
    public var namespace: String
    public var name: String
    /// The node as the scheduler resolved it.
    public var node: NodeName
    public var dispatchAttempt: Int
    /// The agent's epoch as the scheduler knows it.
    public var epoch: Int64
    public var plan: Plan
    public var parameters: [String: String]
    public var pod: PodReference?
    /// Seconds until the diagnosis must have ended, from when the request was sent; never wall time.
    public var remainingSeconds: Double
    /// Seconds after which the agent starts no step, from when the request was sent.
    public var notAfterSeconds: Double
    public var dryRun: Bool
    public var traceparent: String?

    public init(
        uid: UID, namespace: String, name: String, node: NodeName, dispatchAttempt: Int, epoch: Int64, plan: Plan,
        parameters: [String: String],
        pod: PodReference? = nil, remainingSeconds: Double, notAfterSeconds: Double, dryRun: Bool = false, traceparent: String? = nil
    ) {
        self.uid = uid
        self.namespace = namespace
        self.name = name
        self.node = node
        self.dispatchAttempt = dispatchAttempt
        self.epoch = epoch
        self.plan = plan
        self.parameters = parameters
        self.pod = pod
        self.remainingSeconds = remainingSeconds
        self.notAfterSeconds = notAfterSeconds
        self.dryRun = dryRun
        self.traceparent = traceparent
    }
}

/// One dispatch of one diagnosis.
public struct JobReference: Codable, Sendable, Hashable {
    public var uid: UID
    public var dispatchAttempt: Int

    public init(uid: UID, dispatchAttempt: Int) {
        self.uid = uid
        self.dispatchAttempt = dispatchAttempt
    }
}

/// What an agent answers to `PUT` and `DELETE` of a job.
public struct JobReceipt: Codable, Sendable, Hashable {
    public enum State: String, Codable, Sendable {
        case accepted
        case running
        case finished
        case cancelled
    }

    public var uid: UID
    public var dispatchAttempt: Int
    public var journalId: JournalID
    public var state: State

    public init(uid: UID, dispatchAttempt: Int, journalId: JournalID, state: State) {
        self.uid = uid
        self.dispatchAttempt = dispatchAttempt
        self.journalId = journalId
        self.state = state
    }
}

/// `PUT /api/v1/jobs/{uid}/report` at the scheduler: a cumulative snapshot of a run.
///
/// 200: taken (or older than what is known). 409: the attempt is stale, final. 410: the diagnosis is gone, final. 413: to be sent again, truncated.
public struct JobReport: Codable, Sendable, Hashable {
    public enum Phase: String, Codable, Sendable {
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
    }

    public static let bytesMax = 1_048_576

    public var uid: UID
    public var node: NodeName
    public var journalId: JournalID
    public var epoch: Int64
    public var dispatchAttempt: Int
    /// Grows with each report of one attempt.
    public var seq: Int64
    public var phase: Phase
    public var steps: [StepStatus]
    public var succeededPath: [PathEntry]?
    public var failedPaths: [[PathEntry]]?
    public var failedPathCount: Int?
    public var operationResults: [String: ResultValue]?
    public var checkpoint: Checkpoint?
    public var reason: String?
    public var message: String?
    public var summary: String?

    public init(
        uid: UID, node: NodeName, journalId: JournalID, epoch: Int64, dispatchAttempt: Int, seq: Int64, phase: Phase,
        steps: [StepStatus] = []
    ) {
        self.uid = uid
        self.node = node
        self.journalId = journalId
        self.epoch = epoch
        self.dispatchAttempt = dispatchAttempt
        self.seq = seq
        self.phase = phase
        self.steps = steps
    }
}
