import Foundation
import TestSupport
import Testing

/// Runs an agent of the test's own beside a scheduler that takes its reports, and ends both, whatever the body comes to.
///
/// - Parameters:
///   - hasStorageRoot: whether `root` below the folder of the test is a storage root.
///   - body: is given the agent, the scheduler, and that folder.
func withAgent(
    settings: [String] = [], hasStorageRoot: Bool = false, _ body: (AgentProcess, SchedulerPeer, String) async throws -> Void
) async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let scheduler = try SchedulerPeer()
    var settings = settings
    if hasStorageRoot {
        try FileManager.default.createDirectory(atPath: directory.path + "/root", withIntermediateDirectories: true)
        settings = ["--storage-roots", directory.path + "/root"] + settings
    }
    let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
    do {
        try await body(agent, scheduler, directory.path)
    } catch {
        agent.kill()
        throw error
    }
    #expect(agent.stop() == 0)
    await scheduler.stop()
}
