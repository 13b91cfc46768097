import Model
import TestSupport
import Testing

extension JobFixture {
    /// Runs jobs on an agent of their own and returns their last reports.
    static func ends(_ jobs: [Job], settings: [String] = [], inspect: (AgentProcess, String) async throws -> Void = { _, _ in })
        async throws
        -> [JobReport]
    {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        for job in jobs {
            let response = try await agent.put(job)
            #expect(response.status == 202, "\(String(decoding: response.body, as: UTF8.self))")
        }
        var reports: [JobReport] = []
        for job in jobs {
            let isDone = try await eventually { scheduler.end(of: job.uid) != nil }
            try #require(isDone, "no end of the job")
            reports.append(try #require(scheduler.end(of: job.uid)))
        }
        try await inspect(agent, directory.path)
        #expect(agent.stop() == 0)
        await scheduler.stop()
        return reports
    }

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
