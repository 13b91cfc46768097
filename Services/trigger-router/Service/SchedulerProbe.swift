import Model
import ServiceKit

/// Asks the scheduler for a sign of life, so that `/readyz` knows before the next alert does.
struct SchedulerProbe: Sendable {
    static let interval = Duration.seconds(5)
    /// While it is missing it is asked more often, so that a start is noticed at once.
    static let missingInterval = Duration.milliseconds(500)
    static let answerSecondsMax = 3.0

    let scheduler: ServiceClient
    let reachable: HealthCondition

    func run() async throws {
        while true {
            await probe()
            try await Task.sleep(for: reachable.message == nil ? Self.interval : Self.missingInterval)
        }
    }

    private func probe() async {
        let request = scheduler.request(.get, "/healthz", timeoutSeconds: Self.answerSecondsMax)
        do throws(ServiceCallError) {
            _ = try await scheduler.perform(request)
            reachable.satisfy()
        } catch {
            reachable.fail("the scheduler at \(scheduler.base) does not answer: \(error)")
        }
    }
}
