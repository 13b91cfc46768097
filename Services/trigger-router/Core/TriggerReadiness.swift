import Model

/// Whether a trigger is in use, and if not why: its `Ready` condition.
public struct TriggerReadiness: Sendable, Hashable {
    public static let conditionType = "Ready"
    public static let suspendedReason = "Suspended"

    public let isReady: Bool
    public let reason: String
    public let message: String

    public init(_ trigger: CompiledTrigger) {
        switch trigger.source {
        case .invalid(let faults):
            self.init(false, "PatternInvalid", faults.map(\.description).joined(separator: "; "))
        case _ where trigger.trigger.spec.suspend == true:
            self.init(false, Self.suspendedReason, "matches are counted and start nothing")
        case .matching(let origin, _):
            self.init(true, "Listening", "every \(origin.noun) that comes in is held against the trigger")
        case .cron(let schedule, _):
            self.init(true, "Scheduled", "fires at the times of \(schedule)")
        }
    }

    private init(_ isReady: Bool, _ reason: String, _ message: String) {
        self.isReady = isReady
        self.reason = reason
        self.message = message
    }

    /// The status with this in it, as judged of that generation.
    public func applied(to status: TriggerStatus, generation: Int64?, at now: Timestamp) -> TriggerStatus {
        var status = status
        status.ready = isReady
        status.observedGeneration = generation
        var conditions = status.conditions ?? []
        conditions.set(
            Condition(
                type: Self.conditionType, status: isReady ? .true : .false, reason: reason, message: message, observedGeneration: generation
            ),
            at: now)
        status.conditions = conditions
        return status
    }

    /// Whether a trigger's status is about the trigger as it is.
    public static func isCurrent(_ trigger: Trigger) -> Bool {
        trigger.status?.conditions?[conditionType] != nil && trigger.status?.observedGeneration == trigger.metadata.generation
    }
}
