/// A report as Markdown (CommonMark with GitHub's tables). Nothing in a text can become markup: all that has a meaning is escaped.
struct ReportMarkdown {
    let document: ReportDocument

    var text: String {
        var lines = ["# \(Self.escaped(document.title))"]
        for block in document.blocks { lines += [""] + Self.lines(block) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ block: ReportDocument.Block) -> [String] {
        switch block {
        case .heading(let text): return ["## \(escaped(text))"]
        case .text(let text): return [escaped(text)]
        case .facts(let facts): return facts.map { "- **\(escaped($0.0))**: \(escaped($0.1))" }
        case .table(let header, let rows): return table(header, rows)
        case .code(let text): return code(text)
        case .graph(_, let graph): return code(graph.joined(separator: "\n"))
        case .finding(let finding):
            var lines = ["### \(finding.severity.word): \(escaped(finding.summary))", "", "From \(escaped(finding.name))."]
            if !finding.evidence.isEmpty {
                lines += [""] + finding.evidence.map { "- \(escaped($0.name)): \(escaped($0.value))" }
            }
            if let hint = finding.hint { lines += ["", "What to do: \(escaped(hint))"] }
            return lines
        case .timeline(let steps):
            return table(
                ["Step", "Outcome", "Began", "Took", "Message"],
                steps.map { step in
                    [
                        step.name, step.word, step.start.map { "+\(ReportText.seconds($0))" } ?? "", ReportText.seconds(step.seconds),
                        step.message,
                    ]
                })
        }
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> [String] {
        let lines = [header, header.map { _ in "---" }] + rows
        return lines.enumerated().map { index, row in
            "| " + row.map { index == 1 ? $0 : escaped($0) }.joined(separator: " | ") + " |"
        }
    }

    /// A fence that is longer than any in the text.
    private static func code(_ text: String) -> [String] {
        var longest = 0
        var run = 0
        for character in text.unicodeScalars {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return [fence, Terminal.shownLines(ReportText.trimmed(text)), fence]
    }

    /// What has a meaning anywhere in a line; of a line's beginning, whatever could begin a list, a heading or a quotation.
    static func escaped(_ text: String) -> String {
        let text = Array(Terminal.shown(text).unicodeScalars)
        let digits = text.prefix { ("0"..."9").contains($0) }.count
        var result = ""
        for (index, character) in text.enumerated() {
            let next = index + 1 < text.count ? text[index + 1] : " "
            let isMarkup =
                switch character {
                case "\\", "`", "*", "_", "[", "]", "<", ">", "&", "|", "~", "@", "$": true
                case "#", "+", "-", "=": index == 0
                case ")": index == digits && index > 0 && next == " "
                // `1. ` begins a list, `www.` a link.
                case ".":
                    index == digits && index > 0 && next == " "
                        || index >= 3 && text[(index - 3)..<index].allSatisfy { $0 == "w" || $0 == "W" }
                case ":": next == "/"
                default: false
                }
            if isMarkup { result += "\\" }
            result.unicodeScalars.append(character)
        }
        return result
    }
}

/// Texts that both formats have.
enum ReportText {
    static func seconds(_ seconds: Double) -> String {
        let tenths = Int((max(0, min(seconds, 1e9)) * 10).rounded())
        return seconds < 100 ? "\(tenths / 10).\(tenths % 10) s" : "\(tenths / 10) s"
    }

    static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
