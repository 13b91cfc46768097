import Model
import TestSupport
import Testing

extension JobFixture {
    /// An agent with nothing to do, for calls of its own routes.
    static func withAgent(_ body: (AgentProcess) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let agent = try await AgentProcess(directory.path, scheduler.url)
        try await body(agent)
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }
}
