import ArgumentParser
import JSONCoding
import Model

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case wide
    case name
    case yaml
    case json
}

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show objects.",
        discussion: """
            Kinds: operations (op), operationsets (opset), triggers (trig), diagnoses (diag), agents, commonevents (ce).
            Diagnoses come newest first.

              kubediag get diagnoses --failed --since 1h
              kubediag get diag --node web-07 -o wide
              kubediag get opset disk-full -o yaml
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Kind, or KIND/NAME.", completion: .list(KindArgument.plurals)) var kind: String
    @Argument(help: "Names; all objects of the kind without any.") var names: [String] = []
    @Option(name: .shortAndLong, help: "table, wide, name, yaml or json.") var output: OutputFormat = .table
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Flag(name: [.customShort("A"), .long], help: "All namespaces.") var allNamespaces = false
    @Option(name: [.customShort("l"), .customLong("selector")], help: "Label selector, such as app=web,tier!=db.") var selector: String?
    @Flag(help: "Diagnoses that failed.") var failed = false
    @Option(help: "Diagnoses on this node.") var node: String?
    @Option(help: "Objects made within this time, such as 30m, 1h or 2d.") var since: SinceArgument?

    func run() async throws {
        let (definition, names) = try KindArgument.resolve(kind, names)
        if failed || node != nil, definition.kind != DiagnosisSpec.names.kind {
            throw CommandFailure("--failed and --node are for diagnoses", status: .usage)
        }
        let connection = try connection.open()
        let scope = definition.names.scope == .cluster || allNamespaces ? "" : namespace
        var objects: [JSON] = []
        if names.isEmpty {
            objects = Self.ordered(try await connection.list(definition, namespace: scope, labels: try labels()), definition)
            objects = objects.filter { isWanted($0, now: Clock.now()) }
        } else {
            for name in names { objects.append(try await connection.get(definition, namespace: scope, name: name)) }
        }
        show(objects, definition, isSingle: names.count == 1)
    }

    private func labels() throws -> LabelSelector {
        guard let selector else { return .everything }
        do throws(SelectorError) {
            return try LabelSelector(parsing: selector)
        } catch {
            throw CommandFailure("--selector \(selector): \(error.message)", status: .usage)
        }
    }

    private func isWanted(_ object: JSON, now: Timestamp) -> Bool {
        if failed, object[path: "status", "phase"]?.stringValue != DiagnosisPhase.failed.rawValue { return false }
        if let node {
            let names = [object[path: "status", "nodeName"]?.stringValue, object[path: "spec", "nodeName"]?.stringValue]
            guard names.contains(node) else { return false }
        }
        if let since {
            guard let text = object[path: "metadata", "creationTimestamp"]?.stringValue, let made = Timestamp(text) else { return false }
            return now.seconds(since: made) <= since.seconds
        }
        return true
    }

    /// Diagnoses newest first: what is looked for at 3 a.m. happened just now.
    private static func ordered(_ objects: [JSON], _ definition: ResourceDefinition) -> [JSON] {
        guard definition.kind == DiagnosisSpec.names.kind else { return objects }
        func made(_ object: JSON) -> Timestamp {
            object[path: "metadata", "creationTimestamp"]?.stringValue.flatMap { Timestamp($0) } ?? Timestamp(seconds: 0)
        }
        func revision(_ object: JSON) -> Int64 {
            object[path: "metadata", "resourceVersion"]?.stringValue.flatMap { Int64($0) } ?? 0
        }
        return objects.sorted { (made($1), revision($1)) < (made($0), revision($0)) }
    }

    private func show(_ objects: [JSON], _ definition: ResourceDefinition, isSingle: Bool) {
        let output = Terminal.standardOutput
        switch self.output {
        case .name:
            for object in objects {
                output.line("\(definition.names.singular)/\(Terminal.shown(object[path: "metadata", "name"]?.stringValue ?? ""))")
            }
        case .json: output.write((isSingle ? objects[0] : Self.list(objects)).prettyEncoded() + [UInt8(ascii: "\n")])
        case .yaml: output.write(YAMLText.text(isSingle ? objects[0] : Self.list(objects)))
        case .table, .wide:
            if objects.isEmpty {
                let place = definition.names.scope == .namespaced && !allNamespaces ? " in namespace \(namespace)" : ""
                Terminal.standardError.line("No \(definition.plural)\(place)\(isFiltered ? " fit" : "").")
                return
            }
            let rows = ObjectRows(definition: definition, isWide: self.output == .wide, showsNamespace: allNamespaces, now: Clock.now())
            let width = output.isInteractive && self.output == .table ? output.columns : nil
            for line in rows.table(objects).lines(columns: width) { output.line(line) }
        }
    }

    private var isFiltered: Bool { failed || node != nil || since != nil || selector != nil }

    private static func list(_ objects: [JSON]) -> JSON {
        ["apiVersion": "v1", "kind": "List", "metadata": [:], "items": .array(objects)]
    }
}

/// A time span on the command line: `90s`, `30m`, `1h`, `2d`.
struct SinceArgument: ExpressibleByArgument, Sendable {
    let seconds: Double

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Double(argument.dropLast()), count >= 0, count < 1e9 else {
            return nil
        }
        seconds = count * unit
    }
}
