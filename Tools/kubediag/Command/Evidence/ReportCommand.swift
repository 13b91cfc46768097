import ArgumentParser
import HTTPMessage
import JSONCoding
import Model
import ResourceClient

struct ReportCommand: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case markdown
        case html
    }

    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write what a diagnosis found as a report: findings first, then graph, steps, results, evidence.",
        discussion: """
            Markdown for tickets, or one HTML file that needs nothing else, with the graph drawn and coloured by outcome.

              kubediag report disk-full-web-07-k2m8 > report.md
              kubediag report disk-full-web-07-k2m8 -o report.html
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the diagnosis.") var name: String
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Option(name: .shortAndLong, help: ArgumentHelp("File to write; standard output unless given.", valueName: "file")) var output: String?
    @Option(help: "markdown or html; by the end of --output unless given, else markdown.") var format: Format?

    func run() async throws {
        let connection = try connection.open()
        let object = try await connection.get(Diagnosis.definition, namespace: namespace, name: name)
        var sources = ReportSources(diagnosis: try connection.decoded(object, as: Diagnosis.self), now: Clock.now())
        try await ReportGathering(connection: connection, drawsSVG: chosen == .html).fill(&sources)
        let document = sources.document()
        let text = chosen == .html ? ReportHTML(document: document).text : ReportMarkdown(document: document).text
        guard let output else { return Terminal.standardOutput.write(text) }
        try FileSystem.write(text, to: output, mode: 0o600)
    }

    private var chosen: Format {
        if let format { return format }
        return output.map { $0.hasSuffix(".html") || $0.hasSuffix(".htm") } == true ? .html : .markdown
    }
}

/// Asks each process for its part of a report; what one of them can't tell is said in its place.
struct ReportGathering: Sendable {
    /// What `1:Found,…` may take of a request line.
    private static let outcomesBytesMax = 4096

    let connection: Connection
    let drawsSVG: Bool

    func fill(_ sources: inout ReportSources) async throws {
        let diagnosis = sources.diagnosis
        if diagnosis.status?.aggregate != nil {
            sources.children = try await connection.nodeDiagnoses(of: diagnosis)
            sources.evidenceNote = "Each node's diagnosis has its own: kubediag evidence \(diagnosis.name) -n \(diagnosis.namespace)"
        } else {
            do {
                sources.evidence = try await connection.evidence(of: diagnosis)
            } catch {
                sources.evidenceNote = Self.evidenceNote(error, diagnosis)
            }
        }
        let name = diagnosis.spec.operationSet
        do {
            let object = try await connection.get(OperationSet.definition, namespace: "", name: name)
            let set = try connection.decoded(object, as: OperationSet.self)
            let vertices = set.spec.vertices
            let steps = diagnosis.status?.steps ?? []
            let isSame = steps.allSatisfy { vertices.indices.contains($0.id) && vertices[$0.id].operation == $0.operation }
            if !isSame { sources.graphNote = "\(name) has changed since this diagnosis ran; this is the graph of now, without outcomes." }
            sources.graph = (nil, GraphDrawing(set).lines)
            if drawsSVG { sources.graph?.svg = try await svg(name, steps: isSame ? steps : []) }
        } catch {
            sources.graphNote = "The graph of \(name) can't be drawn now: \(failure(of: error).message)"
        }
    }

    /// Why there are no files: none came to be, they are gone for good, or whoever has them does not answer now.
    static func evidenceNote(_ error: any Error, _ diagnosis: Diagnosis) -> String {
        guard let refusal = error as? ServerRefusal, refusal.error.code == 404 else {
            return "The files can't be listed now: \(failure(of: error).message)"
        }
        if refusal.error.reason == "AgentRemoved" { return "The files are out of reach: \(refusal.error.message)" }
        return diagnosis.status?.steps?.isEmpty == false
            ? "The files are gone: its agent keeps them for a time and up to a size (--evidence-age, --evidence-bytes-max)."
            : "No step ran, so that there are no files."
    }

    /// The graph as graph-builder draws it, coloured by what is told of each vertex here: it knows no diagnoses.
    private func svg(_ name: String, steps: [StepStatus]) async throws -> String {
        var outcomes = ""
        for step in steps {
            let word = step.outcome?.rawValue ?? (step.phase == .running || step.phase == .skipped ? step.phase.rawValue : nil)
            guard let word, outcomes.utf8.count < Self.outcomesBytesMax else { continue }
            outcomes += "\(outcomes.isEmpty ? "" : ",")\(step.id):\(word)"
        }
        let answer = try await connection.send(
            .get, APIResource(OperationSet.definition).path(name: name, subresource: "graph"),
            query: Query([Query.Item(name: "format", value: "svg"), Query.Item(name: "outcomes", value: outcomes)]), to: .graphBuilder,
            accept: "image/svg+xml")
        let text = String(decoding: answer.body, as: UTF8.self)
        // Without the XML declaration, which may not stand within HTML.
        guard let start = text.firstRange(of: "<svg") else { throw CommandFailure("the server's drawing is no SVG") }
        let svg = String(text[start.lowerBound...])
        let lower = svg.lowercased()
        guard !["<script", "<foreignobject", "</body"].contains(where: { lower.contains($0) }) else {
            throw CommandFailure("the server's drawing holds more than a drawing")
        }
        return svg
    }
}
