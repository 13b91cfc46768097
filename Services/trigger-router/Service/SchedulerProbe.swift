import ServiceKit

/// Asks the scheduler for a sign of life, so that `/readyz` knows before the next alert does, and a store that was lost is noticed.
struct SchedulerProbe: Sendable {
    static let interval = Duration.seconds(5)
    /// While it is missing it is asked more often, so that a start is noticed at once.
    static let missingInterval = Duration.milliseconds(500)
    static let answerSecondsMax = 3.0

    let handover: IntakeHandover
    let pipeline: IntakePipeline

    func run() async throws {
        while true {
            if let storeID = await handover.probe(secondsMax: Self.answerSecondsMax) { pipeline.noteStore(storeID) }
            try await Task.sleep(for: handover.reachable.message == nil ? Self.interval : Self.missingInterval)
        }
    }
}
