import ArgumentParser
import HTTPMessage
import JSONCoding
import Model

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say what became of alerts: which trigger fired, which did not and why not.",
        discussion: """
            Decisions are kept for 7 days, 100,000 at most, over restarts of the trigger-router.

              kubediag why --last
              kubediag why alertname=NodeFilesystemAlmostOutOfSpace mountpoint=/data
              kubediag why --source kubernetes-events --outcome suppressed --since 2h
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: ArgumentHelp("Labels that the alert has.", valueName: "key=value")) var labels: [KeyValue] = []
    @Flag(help: "Only the last alert.") var last = false
    @Option(help: "Decisions shown at most.") var limit: Int = 10
    @Option(help: "Decisions that this trigger had a part in.") var trigger: String?
    @Option(help: "Only what this brought, such as alertmanager or kubernetes-events.") var source: String?
    @Option(help: "Only what came to this, such as created, suppressed or noMatch.") var outcome: String?
    @Option(help: "Only with a trigger that has this reason, such as Flapping or BudgetExhausted.") var reason: String?
    @Option(help: "Only the alert of this fingerprint.") var fingerprint: String?
    @Option(help: "Only what came within this time, such as 30m, 1h or 2d.") var since: SinceArgument?

    func run() async throws {
        let connection = try connection.open()
        let filter = filter(now: Clock.now())
        let most = last ? 1 : max(1, limit)
        var shown = 0
        var continuation: String?
        repeat {
            var query = filter
            query.add("explain", "true")
            query.add("limit", String(min(20, most - shown)))
            if let continuation { query.add("continue", continuation) }
            let list = try DeadLetterText.decode(DecisionList.self, try await connection.json(.get, "/api/v1/decisions", query: query))
            for decision in list.items {
                for line in AlertText.lines(decision) { Terminal.standardOutput.line(Terminal.shown(line)) }
            }
            shown += list.items.count
            continuation = list.continuation
            if continuation == nil || shown >= most, let lost = list.lost { Terminal.standardError.line(Terminal.shown(Self.text(lost))) }
            if shown == 0, continuation == nil {
                for line in Self.nothing(list, isFiltered: !filter.isEmpty) { Terminal.standardOutput.line(Terminal.shown(line)) }
                throw CommandEnd(status: .nothingFound)
            }
        } while continuation != nil && shown < most
    }

    func filter(now: Timestamp) -> Query {
        var query = Query()
        for label in labels {
            // Events have their own name in this place, which is no label called so.
            if label.key == "alertname" { query.add("alertname", label.value) } else { query.add("label", "\(label.key)=\(label.value)") }
        }
        let texts = [
            ("trigger", trigger), ("source", source), ("outcome", outcome), ("reason", reason), ("fingerprint", fingerprint),
        ]
        for (name, value) in texts {
            if let value { query.add(name, value) }
        }
        if let since { query.add("since", now.adding(seconds: -since.seconds).description) }
        return query
    }

    static func text(_ lost: DecisionLoss) -> String {
        let noun = lost.count == 1 ? "decision" : "decisions"
        return "\(lost.count) \(noun) could not be kept, the last at \(lost.time): the trigger-router's log says why."
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
