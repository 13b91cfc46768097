import Foundation
import Model
import TestSupport
import Testing

/// Runs jobs on an agent of their own and returns their last reports.
func ends(
    _ jobs: [Job], user: String? = AgentProcess.ownUser, settings: [String] = [],
    inspect: (AgentProcess, String) async throws -> Void = { _, _ in }
) async throws -> [JobReport] {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let scheduler = try SchedulerPeer()
    let agent = try await AgentProcess(directory.path, scheduler.url, user: user, settings: settings)
    for job in jobs {
        let response = try await agent.put(job)
        #expect(response.status == 202, "\(String(decoding: response.body, as: UTF8.self))")
    }
    var reports: [JobReport] = []
    for job in jobs {
        let isDone = try await eventually(seconds: 60) { scheduler.end(of: job.uid) != nil }
        try #require(isDone, "no end of the job")
        reports.append(try #require(scheduler.end(of: job.uid)))
    }
    try await inspect(agent, directory.path)
    #expect(agent.stop() == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path + "/executions").isEmpty)
    await scheduler.stop()
    return reports
}

extension JobReport {
    /// A result that is kept whole.
    func text(_ key: String) -> String? {
        guard case .text(let text)? = operationResults?[key] else { return nil }
        return text
    }
}
