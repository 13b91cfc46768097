import ArgumentParser
import HTTPMessage
import JSONCoding
import Model

struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show one object for people: its conditions in words, then all of it.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Kind, or KIND/NAME.", completion: .list(KindArgument.plurals)) var kind: String
    @Argument(help: "Names.") var names: [String] = []
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace

    func run() async throws {
        let (definition, names) = try KindArgument.resolve(kind, names)
        guard !names.isEmpty else { throw CommandFailure("say which: kubediag describe \(kind) NAME", status: .usage) }
        let connection = try connection.open()
        let scope = definition.names.scope == .cluster ? "" : namespace
        for name in names {
            let object = try await connection.get(definition, namespace: scope, name: name)
            for line in Self.lines(object, definition) + (try await events(of: object, definition, connection)) {
                Terminal.standardOutput.line(line)
            }
        }
    }

    /// The events about the object, the oldest first; none where there are none.
    private func events(of object: JSON, _ definition: ResourceDefinition, _ connection: Connection) async throws -> [String] {
        guard definition.kind != Event.names.kind, let uid = object[path: "metadata", "uid"]?.stringValue else { return [] }
        let query = ["fieldSelector": "involvedObject.uid=\(uid)", "limit": String(Self.eventsMax)] as Query
        let list = try await connection.json(.get, Event.definition.path(), query: query)
        return Self.eventLines(list["items"]?.arrayValue ?? [], now: Clock.now())
    }

    private static let eventsMax = 100

    static func eventLines(_ events: [JSON], now: Timestamp) -> [String] {
        guard !events.isEmpty else { return [] }
        let told = events.map { ($0, $0["lastTimestamp"]?.stringValue ?? "") }.sorted { $0.1 < $1.1 }
        var table = TextTable(header: ["TYPE", "REASON", "AGE", "FROM", "MESSAGE"])
        for (event, _) in told {
            let age = event["lastTimestamp"]?.stringValue.flatMap { Timestamp($0) }.map {
                DurationText.age(seconds: now.seconds(since: $0))
            }
            let count = event["count"]?.integerValue ?? 1
            table.rows.append([
                event["type"]?.stringValue ?? "", event["reason"]?.stringValue ?? "", (age ?? "") + (count > 1 ? " (x\(count))" : ""),
                event[path: "source", "component"]?.stringValue ?? "", event["message"]?.stringValue ?? "",
            ])
        }
        return ["events:"] + table.lines().map { "  \($0)" }
    }

    /// What a diagnosis found, as its report has it; none of another kind.
    private static func findingLines(_ object: JSON) -> [String] {
        let results = object[path: "status", "operationResults"]?.objectValue ?? [:]
        let findings = ReportFinding.all(in: results.compactMapValues { $0.stringValue.map { .text($0) } })
        let lines = findings.flatMap { finding in
            ["  \(finding.severity.word): \(finding.summary)"] + finding.evidence.map { "    \($0.name): \($0.value)" }
                + (finding.hint.map { ["    \($0)"] } ?? [])
        }
        return lines.isEmpty ? [] : ["findings:"] + lines.map(Terminal.shown)
    }

    static func lines(_ object: JSON, _ definition: ResourceDefinition) -> [String] {
        var lines = ["\(definition.kind) \(Terminal.shown(object[path: "metadata", "name"]?.stringValue ?? ""))"]
        let table = ObjectRows(definition: definition, isWide: true, showsNamespace: false, now: Clock.now()).table([object])
        let width = table.header.map(\.count).max() ?? 0
        for (title, cell) in zip(table.header, table.rows[0]) where !cell.isEmpty && title != "NAME" {
            lines.append("  \(title.lowercased())\(String(repeating: " ", count: width - title.count + 2))\(Terminal.shown(cell))")
        }
        let conditions = object[path: "status", "conditions"]?.arrayValue ?? []
        if !conditions.isEmpty { lines.append("conditions:") }
        for condition in conditions {
            func text(_ name: String) -> String { condition[name]?.stringValue ?? "" }
            let message = text("message")
            lines.append(Terminal.shown("  \(text("type"))=\(text("status")) \(text("reason"))\(message.isEmpty ? "" : ": \(message)")"))
        }
        lines += findingLines(object)
        let members = definition.members.map { ($0.name, object[$0.name] ?? [:]) }.filter { definition.hasSpec || $0.1 != [:] }
        let body = YAMLText.text(.object(Dictionary(members) { first, _ in first }))
        return lines + Terminal.shownLines(body).split(separator: "\n").map(String.init)
    }
}
