import Model

/// One reading of both clocks: wall time for people, time since boot for deadlines.
public struct Moment: Sendable, Hashable, Codable {
    public var wall: Timestamp
    public var uptimeMicroseconds: Int64
    public var bootID: String

    public init(wall: Timestamp, uptimeMicroseconds: Int64, bootID: String) {
        self.wall = wall
        self.uptimeMicroseconds = uptimeMicroseconds
        self.bootID = bootID
    }

    /// Seconds since an earlier reading: by the boot's clock, across a reboot by wall time, and nil where that went backwards.
    public func seconds(since earlier: Moment) -> Double? {
        if bootID == earlier.bootID { return Double(uptimeMicroseconds - earlier.uptimeMicroseconds) / 1_000_000 }
        let wall = wall.seconds(since: earlier.wall)
        return wall >= 0 ? wall : nil
    }
}

/// The deadlines of a job, counted from its acceptance; they hold over restarts of the agent and the machine.
public struct JobClock: Sendable, Hashable, Codable {
    public let acceptedAt: Moment
    public let remainingSeconds: Double
    public let notAfterSeconds: Double

    public init(acceptedAt: Moment, remainingSeconds: Double, notAfterSeconds: Double) {
        self.acceptedAt = acceptedAt
        self.remainingSeconds = remainingSeconds
        self.notAfterSeconds = notAfterSeconds
    }

    /// Seconds since acceptance; beyond every deadline when that can't be told.
    public func elapsedSeconds(at now: Moment) -> Double { now.seconds(since: acceptedAt) ?? .greatestFiniteMagnitude }

    /// Seconds until the diagnosis must have ended.
    public func secondsLeft(at now: Moment) -> Double { max(0, remainingSeconds - elapsedSeconds(at: now)) }

    /// Seconds in which a step may still be started.
    public func secondsToStart(at now: Moment) -> Double { max(0, min(remainingSeconds, notAfterSeconds) - elapsedSeconds(at: now)) }

    /// Whether a step may still be started.
    public func mayStart(at now: Moment) -> Bool { elapsedSeconds(at: now) < notAfterSeconds }
}
