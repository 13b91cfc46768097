import Model

/// A report as one HTML file that needs nothing else and runs nothing: all texts are escaped, and its own policy keeps scripts, requests
/// and forms out even if something got past that.
struct ReportHTML {
    let document: ReportDocument

    private static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f23;background:#fff}
        h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid #d0d7de}
        table{border-collapse:collapse;width:100%}dd,p,li,.long{overflow-wrap:anywhere}
        td,th{border:1px solid #d0d7de;padding:.25rem .5rem;text-align:left;vertical-align:top}
        pre{background:#f6f8fa;padding:.75rem;overflow:auto;max-height:30rem}dt{font-weight:600}dd{margin:0 0 .5rem 0}
        .finding{border-left:.4rem solid #57606a;padding:.1rem 1rem;margin:1rem 0;background:#f6f8fa}
        .critical{border-color:#cf222e;background:#ffebe9}.warning{border-color:#bf8700;background:#fff8c5}
        .track{position:relative;height:1.1rem;background:#f6f8fa;min-width:12rem}
        .bar{position:absolute;height:100%;min-width:2px;background:#8c959f}
        .Found{background:#2da44e}.RuledOut{background:#8c959f}.Error{background:#cf222e}
        .graph{overflow:auto}.graph svg{max-width:100%;height:auto}
        """

    var text: String {
        let body = document.blocks.map(Self.html).joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
            <meta name="viewport" content="width=device-width">
            <title>\(Self.escaped(document.title))</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <h1>\(Self.escaped(document.title))</h1>
            \(body)
            </body>
            </html>

            """
    }

    private static func html(_ block: ReportDocument.Block) -> String {
        switch block {
        case .heading(let text): return "<h2>\(escaped(text))</h2>"
        case .text(let text): return "<p>\(escaped(text))</p>"
        case .facts(let facts):
            return "<dl>\(facts.map { "<dt>\(escaped($0.0))</dt><dd>\(escaped($0.1))</dd>" }.joined())</dl>"
        case .table(let header, let rows): return table(header, rows.map { $0.map(cell) })
        case .code(let text): return "<pre>\(escaped(ReportText.trimmed(text)))</pre>"
        case .graph(let svg, let lines):
            return svg.map { "<div class=\"graph\">\($0)</div>" } ?? "<pre>\(escaped(lines.joined(separator: "\n")))</pre>"
        case .finding(let finding): return html(finding)
        case .timeline(let steps): return timeline(steps)
        }
    }

    private static func html(_ finding: ReportFinding) -> String {
        let evidence = finding.evidence.map { "<li>\(escaped($0.name)): \(escaped($0.value))</li>" }.joined()
        return "<div class=\"finding \(finding.severity.word.lowercased())\">"
            + "<p><strong>\(finding.severity.word): \(escaped(finding.summary))</strong></p>"
            + (evidence.isEmpty ? "" : "<ul>\(evidence)</ul>")
            + (finding.hint.map { "<p>What to do: \(escaped($0))</p>" } ?? "") + "<p><small>\(escaped(finding.name))</small></p></div>"
    }

    /// Words that stand in a column of their own width; longer ones are broken where the column ends.
    private static let wordCharactersMax = 24

    private static func cell(_ text: String) -> String {
        let isLong = text.split(whereSeparator: \.isWhitespace).contains { $0.count > wordCharactersMax }
        return "<td\(isLong ? " class=\"long\"" : "")>\(escaped(text))</td>"
    }

    /// - Parameter rows: of cells.
    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        let head = header.map { "<th>\(escaped($0))</th>" }.joined()
        let body = rows.map { "<tr>\($0.joined())</tr>" }.joined(separator: "\n")
        return "<table><thead><tr>\(head)</tr></thead>\n<tbody>\(body)</tbody></table>"
    }

    /// Bars on one scale of time.
    private static func timeline(_ steps: [ReportDocument.TimelineStep]) -> String {
        let total = max(0.001, steps.map { ($0.start ?? 0) + $0.seconds }.max() ?? 0)
        func percent(_ seconds: Double) -> String {
            let hundredths = Int((max(0, min(1, seconds / total)) * 10_000).rounded())
            return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)%"
        }
        let rows = steps.map { step -> [String] in
            let bar = step.start.map { start in
                "<div class=\"track\"><div class=\"bar \(step.outcome?.rawValue ?? "")\" "
                    + "style=\"left:\(percent(start));width:\(percent(step.seconds))\"></div></div>"
            }
            return [
                cell(step.name), cell(step.word), "<td>\(bar ?? "")</td>", cell(ReportText.seconds(step.seconds)), cell(step.message),
            ]
        }
        return table(["Step", "Outcome", "When", "Took", "Message"], rows)
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in Terminal.shownLines(text).unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
