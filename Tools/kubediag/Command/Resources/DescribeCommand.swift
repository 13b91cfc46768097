import ArgumentParser
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
            for line in Self.lines(object, definition) { Terminal.standardOutput.line(line) }
        }
    }

    static func lines(_ object: JSON, _ definition: ResourceDefinition) -> [String] {
        var lines = ["\(definition.kind) \(Terminal.shown(object[path: "metadata", "name"]?.stringValue ?? ""))"]
        let table = ObjectRows(definition: definition, isWide: true, showsNamespace: false, now: Clock.now()).table([object])
        let width = table.header.map(\.count).max() ?? 0
        for (title, cell) in zip(table.header, table.rows[0]).dropFirst() where !cell.isEmpty {
            lines.append("  \(title.lowercased())\(String(repeating: " ", count: width - title.count + 2))\(Terminal.shown(cell))")
        }
        let conditions = object[path: "status", "conditions"]?.arrayValue ?? []
        if !conditions.isEmpty { lines.append("conditions:") }
        for condition in conditions {
            func text(_ name: String) -> String { condition[name]?.stringValue ?? "" }
            let message = text("message")
            lines.append(Terminal.shown("  \(text("type"))=\(text("status")) \(text("reason"))\(message.isEmpty ? "" : ": \(message)")"))
        }
        let body = YAMLText.text(["spec": object["spec"] ?? [:], "status": object["status"] ?? [:]])
        return lines + Terminal.shownLines(body).split(separator: "\n").map(String.init)
    }
}
