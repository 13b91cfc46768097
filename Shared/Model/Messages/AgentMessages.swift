/// `PUT /api/v1/agents/{node}/registration` at the scheduler.
///
/// 409 `NodeNameTaken` while another journal's lease on the name is live.
public struct AgentRegistration: Codable, Sendable, Hashable {
    public var journalId: JournalID
    /// Base URL at which the scheduler reaches the agent.
    public var address: String
    public var aliases: [String]
    /// Jobs at once at most.
    public var capacity: Int
    public var version: String
    public var operations: [String]
    /// Jobs that the journal holds unfinished.
    public var jobs: [JobReference]
    /// Nil from agents that do not tell.
    public var stepLimits: StepLimitSupport?

    public init(
        journalId: JournalID, address: String, aliases: [String], capacity: Int, version: String, operations: [String] = [],
        jobs: [JobReference] = [], stepLimits: StepLimitSupport? = nil
    ) {
        self.journalId = journalId
        self.address = address
        self.aliases = aliases
        self.capacity = capacity
        self.version = version
        self.operations = operations
        self.jobs = jobs
        self.stepLimits = stepLimits
    }
}

/// Which limits of its steps an agent holds by control groups (cgroup v2).
public struct StepLimitSupport: Codable, Sendable, Hashable {
    /// Of `cpu`, `memory` and `pids`, those that are there.
    public var controllers: [String]
    /// Why not all of them are.
    public var cause: String?

    public init(controllers: [String], cause: String? = nil) {
        self.controllers = controllers
        self.cause = cause
    }
}

public struct AgentRegistrationReply: Codable, Sendable, Hashable {
    public var epoch: Int64
    public var leaseSeconds: Double
    public var heartbeatSeconds: Double
    public var storeID: String

    public init(epoch: Int64, leaseSeconds: Double, heartbeatSeconds: Double, storeID: String) {
        self.epoch = epoch
        self.leaseSeconds = leaseSeconds
        self.heartbeatSeconds = heartbeatSeconds
        self.storeID = storeID
    }
}

/// `PUT /api/v1/agents/{node}/heartbeat` at the scheduler. 409 `StaleEpoch`: register again, start no further step. 404: register again.
public struct Heartbeat: Codable, Sendable, Hashable {
    public var journalId: JournalID
    public var epoch: Int64
    /// Jobs that the journal holds unfinished.
    public var jobs: [JobReference]

    public init(journalId: JournalID, epoch: Int64, jobs: [JobReference]) {
        self.journalId = journalId
        self.epoch = epoch
        self.jobs = jobs
    }
}

public struct HeartbeatReply: Codable, Sendable, Hashable {
    public var leaseSeconds: Double
    public var heartbeatSeconds: Double
    public var storeID: String
    /// Jobs of the heartbeat that the scheduler wants stopped: cancelled, deleted or superseded.
    public var cancel: [JobReference]?

    public init(leaseSeconds: Double, heartbeatSeconds: Double, storeID: String, cancel: [JobReference]? = nil) {
        self.leaseSeconds = leaseSeconds
        self.heartbeatSeconds = heartbeatSeconds
        self.storeID = storeID
        self.cancel = cancel
    }
}
