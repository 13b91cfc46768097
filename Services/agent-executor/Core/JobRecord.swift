import Model

/// A step of a run as it is journaled.
public struct StepRecord: Sendable, Hashable, Codable {
    public var vertex: Int
    public var operation: String
    public var phase: StepPhase
    public var outcome: StepOutcome?
    /// Executions that were begun.
    public var attempt: Int
    public var startTime: Timestamp?
    public var completionTime: Timestamp?
    public var reason: String?
    public var message: String?
    /// The first line of what it put out.
    public var headline: String?
    /// Seconds after acceptance before which it is not begun again.
    public var notBeforeSeconds: Double?

    public init(vertex: Int, operation: String, phase: StepPhase, attempt: Int) {
        self.vertex = vertex
        self.operation = operation
        self.phase = phase
        self.attempt = attempt
    }

    public var status: StepStatus {
        StepStatus(
            id: vertex, operation: operation, phase: phase, outcome: outcome, attempt: attempt, startTime: startTime,
            completionTime: completionTime, reason: reason, message: message)
    }
}

/// How a run ended.
public struct JobEnd: Sendable, Hashable, Codable {
    public enum Reason: String, Sendable, Codable {
        case cancelled = "Cancelled"
        case deadlineExceeded = "DeadlineExceeded"
        case dryRun = "DryRun"
        case nothingFound = "NothingFound"
        case planInvalid = "PlanInvalid"
        /// No step may be started any more, for the scheduler no longer counts on this agent.
        case startDeadlineExceeded = "StartDeadlineExceeded"
        case stepFailed = "StepFailed"
        case superseded = "Superseded"
    }

    public var succeeded: Bool
    public var reason: Reason?
    public var message: String?
    public var summary: String?
    public var path: [Int]?

    public init(succeeded: Bool, reason: Reason? = nil, message: String? = nil, summary: String? = nil, path: [Int]? = nil) {
        self.succeeded = succeeded
        self.reason = reason
        self.message = message
        self.summary = summary
        self.path = path
    }
}

/// What of a run changes, as it is journaled; the job itself is journaled once, at acceptance.
public struct JobProgress: Sendable, Hashable, Codable {
    public var steps: [StepRecord]
    public var results: [String: ResultValue]
    public var wholePaths: [String: String]
    public var end: JobEnd?

    public init(steps: [StepRecord] = [], results: [String: ResultValue] = [:], wholePaths: [String: String] = [:], end: JobEnd? = nil) {
        self.steps = steps
        self.results = results
        self.wholePaths = wholePaths
        self.end = end
    }
}

/// An execution that was begun, known from the trace it left on disk.
public struct BegunStep: Sendable, Hashable {
    public let vertex: Int
    public let attempt: Int

    public init(vertex: Int, attempt: Int) {
        self.vertex = vertex
        self.attempt = attempt
    }
}
