import Model

/// A report before it is Markdown or HTML: what it says, in order. All its texts are as they came; each format escapes them its own way.
struct ReportDocument: Sendable {
    enum Block: Sendable {
        case heading(String)
        case text(String)
        /// Names and values.
        case facts([(String, String)])
        case finding(ReportFinding)
        case table(header: [String], rows: [[String]])
        case code(String)
        case timeline([TimelineStep])
        /// A graph as SVG where it could be drawn, and as lines of text.
        case graph(svg: String?, lines: [String])
    }

    struct TimelineStep: Sendable {
        let name: String
        let outcome: StepOutcome?
        let word: String
        /// Seconds since the first step began; nil for one that did not.
        let start: Double?
        let seconds: Double
        let message: String
    }

    var title: String
    var blocks: [Block] = []
}

/// What is known of a diagnosis when its report is written.
struct ReportSources: Sendable {
    let diagnosis: Diagnosis
    /// Of a diagnosis of several nodes.
    var children: [Diagnosis] = []
    var graph: (svg: String?, lines: [String])?
    /// What is to be said of the graph: that it could not be drawn, or has changed.
    var graphNote: String?
    var evidence: EvidenceList?
    var evidenceNote: String?
    let now: Timestamp

    private var status: DiagnosisStatus { diagnosis.status ?? DiagnosisStatus() }
    private var results: [String: ResultValue] { status.operationResults ?? [:] }

    func document() -> ReportDocument {
        var document = ReportDocument(title: "Diagnosis \(diagnosis.name)")
        let findings = ReportFinding.all(in: results)
        document.blocks += findings.isEmpty ? [] : [.heading("Findings")] + findings.map { .finding($0) }
        document.blocks += outcome + nodes + graphBlocks + steps + resultBlocks + evidenceBlocks + redactions
        document.blocks.append(.text("Written \(now) by kubediag \(CommandVersion.text)."))
        return document
    }

    private var outcome: [ReportDocument.Block] {
        let annotations = diagnosis.metadata.annotations ?? [:]
        let view = DiagnosisView(diagnosis: diagnosis, timeouts: [:], now: now)
        let facts: [(String, String?)] = [
            ("Outcome", "\(view.phase.rawValue)\(status.reason.map { " (\($0))" } ?? "")"), ("Summary", status.summary),
            ("Message", status.message == status.summary ? nil : status.message), ("Namespace", diagnosis.namespace),
            ("Node", status.nodeName),
            ("Operation set", diagnosis.spec.operationSet), ("Parameters", parameters),
            ("Trigger", annotations[WellKnown.triggerAnnotation]),
            ("Alert", annotations[WellKnown.alertAnnotation]), ("Labels of the alert", annotations[WellKnown.alertLabelsAnnotation]),
            ("Began", status.startTime?.description), ("Ended", status.completionTime?.description), ("UID", diagnosis.uid.rawValue),
        ]
        return [.heading("Outcome"), .facts(facts.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : (name, $0) } })]
    }

    /// `approve=cordon, mountpoint=/var`; of what is called a secret, that there is one.
    private var parameters: String {
        (diagnosis.spec.parameters ?? [:]).sorted { $0.key < $1.key }.map { key, value in
            let isSecret = Self.secretWords.contains { key.lowercased().contains($0) }
            return "\(key)=\(isSecret ? "[redacted]" : value)"
        }.joined(separator: ", ")
    }

    private static let secretWords = ["password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "credential", "private"]

    private var nodes: [ReportDocument.Block] {
        guard !children.isEmpty else { return [] }
        let rows = children.map { child in
            [
                child.status?.nodeName ?? "", child.name, child.status?.phase?.rawValue ?? "", child.status?.reason ?? "",
                child.status?.summary ?? "",
            ]
        }
        return [.heading("Nodes"), .table(header: ["Node", "Diagnosis", "Outcome", "Reason", "Summary"], rows: rows)]
    }

    private var graphBlocks: [ReportDocument.Block] {
        guard graph != nil || graphNote != nil else { return [] }
        var blocks: [ReportDocument.Block] = [.heading("Graph")]
        if let graphNote { blocks.append(.text(graphNote)) }
        if let graph { blocks.append(.graph(svg: graph.svg, lines: graph.lines)) }
        return blocks
    }

    private var steps: [ReportDocument.Block] {
        let steps = status.steps ?? []
        guard let first = steps.compactMap(\.startTime).min() else { return [] }
        let timeline = steps.map { step in
            let start = step.startTime.map { $0.seconds(since: first) }
            let attempt = step.attempt > 1 ? " (attempt \(step.attempt))" : ""
            return ReportDocument.TimelineStep(
                name: "\(step.id): \(step.operation)\(attempt)", outcome: step.outcome,
                word: step.outcome.map(\.rawValue) ?? step.phase.rawValue, start: start,
                seconds: step.startTime.map { max(0, (step.completionTime ?? now).seconds(since: $0)) } ?? 0,
                message: step.message ?? step.reason ?? "")
        }
        return [.heading("Steps"), .timeline(timeline)]
    }

    private var resultBlocks: [ReportDocument.Block] {
        let shown = results.sorted { $0.key < $1.key }.filter { ReportFinding(key: $0.key, value: $0.value.preview) == nil }
        guard !shown.isEmpty else { return [] }
        return [.heading("Results")]
            + shown.flatMap { key, value -> [ReportDocument.Block] in
                var blocks: [ReportDocument.Block] = [.text(key), .code(value.preview)]
                if case .reference(let reference) = value {
                    let size = QuantityText.bytes(Double(reference.size))
                    blocks.append(.text("The first part of \(size); the whole is the file \(reference.evidenceRef)."))
                }
                return blocks
            }
    }

    private var evidenceBlocks: [ReportDocument.Block] {
        var blocks: [ReportDocument.Block] = [.heading("Evidence")]
        if let evidenceNote { blocks.append(.text(evidenceNote)) }
        guard let evidence else { return blocks }
        if evidence.files.isEmpty { return blocks + [.text("No files are kept on \(evidence.node).")] }
        let rows = evidence.files.map { [$0.ref, $0.operation, QuantityText.bytes(Double($0.bytes)), $0.contentType, $0.sha256 ?? ""] }
        return blocks + [
            .text("On node \(evidence.node); fetch them with: kubediag evidence \(diagnosis.name) -n \(diagnosis.namespace) -o DIR"),
            .table(header: ["File", "Operation", "Size", "Type", "SHA-256"], rows: rows),
        ]
    }

    private var redactions: [ReportDocument.Block] {
        let files = evidence?.files ?? []
        let redacted = files.filter { ($0.redactions ?? 0) > 0 }
        let unseen = files.filter { $0.redactions == nil }
        guard !redacted.isEmpty || !unseen.isEmpty else { return [] }
        var blocks: [ReportDocument.Block] = [.heading("Redacted")]
        if !redacted.isEmpty {
            blocks.append(.text("Secrets that were replaced on the node; what was there is kept nowhere."))
            blocks.append(.table(header: ["File", "Secrets"], rows: redacted.map { [$0.ref, String($0.redactions ?? 0)] }))
        }
        if !unseen.isEmpty {
            blocks.append(.text("Not searched for secrets, as they are no text: \(unseen.map(\.ref).joined(separator: ", "))"))
        }
        return blocks
    }
}
