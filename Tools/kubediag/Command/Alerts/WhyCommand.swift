import ArgumentParser
import HTTPMessage
import JSONCoding
import Model

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say what became of alerts: which trigger fired, which did not and why not.",
        discussion: """
            The last 1,000 decisions are remembered while the trigger-router runs.

              kubediag why --last
              kubediag why alertname=NodeFilesystemAlmostOutOfSpace mountpoint=/data
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: ArgumentHelp("Labels that the alert has.", valueName: "key=value")) var labels: [KeyValue] = []
    @Flag(help: "Only the last alert.") var last = false
    @Option(help: "Decisions shown at most.") var limit: Int = 10
    @Option(help: "Decisions that this trigger had a part in.") var trigger: String?

    func run() async throws {
        let connection = try connection.open()
        var query: Query = ["explain": "true", "limit": labels.isEmpty ? String(last ? 1 : max(1, limit)) : "20"]
        if let name = labels.last(where: { $0.key == "alertname" }) { query.add("alertname", name.value) }
        if let trigger { query.add("trigger", trigger) }
        let answer = try await connection.json(.get, "/api/v1/decisions", query: query)
        let list: DecisionList
        do throws(JSON.DecodeError) {
            list = try answer.decode(DecisionList.self)
        } catch {
            throw CommandFailure("the server's answer can't be read: \(error)")
        }
        let decisions = list.items.filter { decision in labels.allSatisfy { decision.labels[$0.key] == $0.value } }
            .prefix(last ? 1 : max(1, limit))
        for decision in decisions {
            for line in AlertText.lines(decision) { Terminal.standardOutput.line(Terminal.shown(line)) }
        }
        guard decisions.isEmpty else { return }
        for line in Self.nothing(list, isFiltered: !labels.isEmpty || trigger != nil) { Terminal.standardOutput.line(Terminal.shown(line)) }
        throw CommandEnd(status: .nothingFound)
    }

    /// What there is to say when no decision fits.
    static func nothing(_ list: DecisionList, isFiltered: Bool) -> [String] {
        guard let webhook = list.lastWebhook else {
            return [
                "No webhook came since \(AlertText.clock(list.keptSince)), when the trigger-router began to listen.",
                "  Does Alertmanager know it? See: kubediag config alertmanager",
            ]
        }
        let what = isFiltered ? "No alert of that kind" : "No alert"
        var lines = [
            "\(what) came since \(AlertText.clock(list.keptSince)).",
            "  The last webhook came at \(AlertText.clock(webhook.time)) from \(webhook.receiver)@\(webhook.peer), \(webhook.alertCount) \(webhook.alertCount == 1 ? "alert" : "alerts"), answered \(webhook.status)\(webhook.message.map { ": \($0)" } ?? "").",
        ]
        if isFiltered { lines.append("  See all: kubediag why") }
        return lines
    }
}
