import ArgumentParser
import JSONCoding

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Start no more diagnoses; they are still taken on, and those that run go on.",
        discussion: "The pause outlives restarts. End it with: kubediag resume")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let overview = try await connection.open().json(.post, "/api/v1/pause", to: .scheduler)
        Terminal.standardOutput.line("paused; \(BrakeText.counts(overview)). Go on with: kubediag resume")
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Start diagnoses again after a pause.")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let overview = try await connection.open().json(.post, "/api/v1/resume", to: .scheduler)
        Terminal.standardOutput.line("resumed; \(BrakeText.counts(overview))")
    }
}

enum BrakeText {
    static func counts(_ overview: JSON) -> String {
        let text = "\(overview["waiting"]?.integerValue ?? 0) waiting, \(overview["running"]?.integerValue ?? 0) running"
        guard let held = overview[path: "blastRadius", "waiting"]?.integerValue, held > 0 else { return text }
        let nodes = overview[path: "blastRadius", "nodes"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return text + ", \(held) held back by the blast radius (now \(nodes.joined(separator: ", ")))"
    }
}
