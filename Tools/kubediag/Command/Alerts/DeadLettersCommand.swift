import ArgumentParser
import Foundation
import HTTPMessage
import JSONCoding
import Model

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadletters", abstract: "See what could not be used or stored, send it again, or drop it.",
        discussion: """
              kubediag deadletters list --source kafka
              kubediag deadletters show ID
              kubediag deadletters replay ID
              kubediag deadletters drop --source kafka --reason Malformed
            """,
        subcommands: [
            DeadLettersListCommand.self, DeadLettersShowCommand.self, DeadLettersReplayCommand.self, DeadLettersDropCommand.self,
        ])
}

/// Which dead letters a command means.
struct DeadLetterSelection: ParsableArguments {
    @Option(help: "Of this source, such as kafka.") var source: String?
    @Option(help: "For this reason, such as Malformed.") var reason: String?
    @Option(help: ArgumentHelp("Not older than this: a time as in RFC 3339.", valueName: "time")) var since: String?
    @Option(help: ArgumentHelp("Not newer than this: a time as in RFC 3339.", valueName: "time")) var until: String?

    var query: Query {
        var query = Query()
        for (name, value) in [("source", source), ("reason", reason), ("since", since), ("until", until)] {
            if let value { query.add(name, value) }
        }
        return query
    }
}

struct DeadLettersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List dead letters, newest first.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: DeadLetterSelection
    @Option(help: "Letters shown at most.") var limit: Int = 100

    func run() async throws {
        let connection = try connection.open()
        var table = TextTable(header: ["ID", "AGE", "SOURCE", "POSITION", "COUNT", "REASON", "MESSAGE"])
        var continuation: String?
        repeat {
            var query = selection.query
            query.add("limit", String(min(1000, max(1, limit - table.rows.count))))
            if let continuation { query.add("continue", continuation) }
            let list = try DeadLetterText.decode(
                DeadLetterList.self, try await connection.json(.get, "/api/v1/deadletters", query: query))
            table.rows += list.items.map { DeadLetterText.row($0, now: Clock.now()) }
            continuation = list.continuation
        } while continuation != nil && table.rows.count < limit
        guard !table.rows.isEmpty else {
            Terminal.standardOutput.line("No dead letters.")
            return
        }
        for line in table.lines(columns: Terminal.standardOutput.isInteractive ? Terminal.standardOutput.columns : nil) {
            Terminal.standardOutput.line(line)
        }
        if continuation != nil { Terminal.standardError.line("There are more: --limit N") }
    }
}

struct DeadLettersShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one dead letter with its body.", discussion: "With --body, its bytes alone, as they came.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Id of the letter.") var id: String
    @Flag(help: "Only the body's bytes.") var body = false

    func run() async throws {
        let connection = try connection.open()
        let letter = try DeadLetterText.decode(DeadLetter.self, try await connection.json(.get, DeadLetterText.path(id)))
        let bytes = letter.body.map { Array($0.utf8) } ?? letter.bodyBase64.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) } ?? []
        if body {
            Terminal.standardOutput.write(bytes)
            return
        }
        for line in DeadLetterText.lines(letter) { Terminal.standardOutput.line(Terminal.shown(line)) }
    }
}

struct DeadLettersReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Take dead letters in once more; those that succeed are dropped.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Ids of letters.") var ids: [String]

    func run() async throws {
        let connection = try connection.open()
        var failed = false
        for id in ids {
            do {
                let answer = try DeadLetterText.decode(
                    ReceiverAnswer.self, try await connection.json(.post, DeadLetterText.path(id) + "/replay"))
                let totals = answer.totals.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                Terminal.standardOutput.line(Terminal.shown("\(id) taken in: \(totals.isEmpty ? "nothing to do" : totals)"))
            } catch let refusal as ServerRefusal where [404, 409, 422].contains(refusal.error.code) {
                failed = true
                let why = refusal.error.causes.first?.message ?? refusal.error.message
                Terminal.standardError.line(Terminal.shown("\(id) stays: \(why)"))
            }
        }
        if failed { throw CommandEnd(status: .failed) }
    }
}

struct DeadLettersDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Drop dead letters by id, or all that a filter names.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: DeadLetterSelection
    @Argument(help: "Ids of letters.") var ids: [String] = []
    @Flag(help: "All of them.") var all = false

    func validate() throws {
        let ways = [!ids.isEmpty, !selection.query.isEmpty, all].count { $0 }
        guard ways == 1 else { throw ValidationError("Give either ids, a filter such as --source, or --all.") }
    }

    func run() async throws {
        let connection = try connection.open()
        if !ids.isEmpty {
            for id in ids {
                _ = try await connection.json(.delete, DeadLetterText.path(id))
                Terminal.standardOutput.line(Terminal.shown("\(id) dropped"))
            }
            return
        }
        let query: Query = all ? ["all": "true"] : selection.query
        let answer = try DeadLetterText.decode(
            DeadLetterDeletion.self, try await connection.json(.delete, "/api/v1/deadletters", query: query))
        Terminal.standardOutput.line("\(answer.dropped) dropped")
    }
}
