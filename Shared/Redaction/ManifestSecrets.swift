/// Secrets of Kubernetes in YAML, whose kind may stand behind their data, and blocks of text that their names say are secret.
///
/// Looks at lines and how far they are indented; it is no parser of YAML. Time is linear but for how deep secrets lie within each other.
struct ManifestSecrets {
    private struct Line {
        let range: Range<Int>
        /// Columns of the first dash, and of what stands behind all of them; nil for a line without text.
        let dash: Int?
        let column: Int?
        /// Where its text begins, a comment's too.
        let start: Int?
        let key: Range<Int>?
        /// Behind the colon, without blanks.
        let value: Range<Int>
    }

    private(set) var count = 0
    private let text: [UInt8]
    private let redactor: Redactor
    private var lines: [Line] = []
    /// What is to stand instead of a line's value, or of all its text, or nothing of it.
    private var changes: [Int: Change] = [:]

    private enum Change {
        case value
        case whole
        case none
    }

    init(_ text: [UInt8], _ redactor: Redactor) {
        self.text = text
        self.redactor = redactor
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            lines.append(Self.line(text, start..<end))
            start = end + 1
        }
    }

    /// The text without them; nil where there are none.
    mutating func redacted() -> [UInt8]? {
        for index in lines.indices {
            let line = lines[index]
            guard let key = line.key else { continue }
            // A quoted kind is one of JSON.
            if text[line.range.lowerBound..<key.lowerBound].last != UInt8(ascii: "\""), isText(key, ["kind"]),
                isText(unquoted(firstWord(line.value)), ["Secret"])
            {
                hideData(of: index)
            } else if let first = text[line.value].first, first == UInt8(ascii: "|") || first == UInt8(ascii: ">"),
                redactor.isSecretName(String(decoding: text[key], as: UTF8.self))
            {
                hideBlock(under: index)
            } else if line.value.isEmpty, redactor.isSecretName(String(decoding: text[key], as: UTF8.self)) {
                hideItems(under: index)
            }
        }
        guard count > 0 else { return nil }
        var output: [UInt8] = []
        for (index, line) in lines.enumerated() {
            let end = min(line.range.upperBound + 1, text.count)
            switch changes[index] {
            case nil: output += text[line.range.lowerBound..<end]
            case .none?: break
            case .value?: replace(line.value, in: line.range.lowerBound..<end, &output)
            case .whole?:
                let first = line.start ?? line.range.upperBound
                replace(first..<max(first, line.value.upperBound), in: line.range.lowerBound..<end, &output)
            }
        }
        return output
    }

    private func replace(_ part: Range<Int>, in line: Range<Int>, _ output: inout [UInt8]) {
        output += text[line.lowerBound..<part.lowerBound]
        if part.lowerBound > line.lowerBound, text[part.lowerBound - 1] == UInt8(ascii: ":") { output.append(0x20) }
        output += Redactor.mark.utf8
        output += text[part.upperBound..<line.upperBound]
    }

    // MARK: Secrets

    /// The lines of the mapping that a line belongs to: from the item's dash or the document's begin to where it is no longer so deep.
    private func mapping(around index: Int) -> Range<Int> {
        guard let column = lines[index].column else { return index..<index }
        var first = index
        if lines[index].dash == nil {
            while first > 0, let before = depth(first - 1, column), before != .outside {
                first -= 1
                if before == .itemStart { break }
            }
        }
        var end = index + 1
        while end < lines.count, let next = depth(end, column), next == .inside { end += 1 }
        return first..<end
    }

    private enum Depth {
        case inside
        case itemStart
        case outside
    }

    /// How a line stands to a mapping at a column; nil where it ends a document.
    private func depth(_ index: Int, _ column: Int) -> Depth? {
        let line = lines[index]
        guard let own = line.column else { return .inside }
        if text[line.range].starts(with: "---".utf8) || text[line.range].starts(with: "...".utf8) { return nil }
        if own < column { return .outside }
        guard own == column else { return .inside }
        // A mapping has each name once.
        if let key = line.key, isText(key, ["kind"]) { return .outside }
        return line.dash == nil ? .inside : .itemStart
    }

    private mutating func hideData(of index: Int) {
        let column = lines[index].column
        for index in mapping(around: index) {
            let line = lines[index]
            guard line.column == column, let key = line.key, isText(key, ["data", "stringData"]) else { continue }
            if line.value.isEmpty { hideMembers(under: index) } else { hide(index, .value) }
        }
    }

    private mutating func hideMembers(under parent: Int) {
        let below = below(parent)
        let column = lines[below].first { $0.column != nil }?.column
        for index in below where lines[index].column != nil {
            if lines[index].column == column, lines[index].key != nil {
                hide(index, .value)
            } else {
                changes[index] = Change.none
            }
        }
    }

    private mutating func hideBlock(under parent: Int) {
        var isFirst = true
        for index in below(parent) where lines[index].start != nil {
            if isFirst { hide(index, .whole) } else { changes[index] = Change.none }
            isFirst = false
        }
    }

    /// The texts of a sequence, which may stand as deep as its name.
    private mutating func hideItems(under parent: Int) {
        guard let column = lines[parent].column else { return }
        var index = parent + 1
        while index < lines.count, let dash = lines[index].dash, dash >= column, lines[index].key == nil {
            hide(index, .whole)
            index += 1
        }
    }

    /// The lines that are deeper than one, and those without text between them.
    private func below(_ parent: Int) -> Range<Int> {
        guard let column = lines[parent].column else { return parent..<parent }
        var end = parent + 1
        while end < lines.count, lines[end].column.map({ (lines[end].dash ?? $0) > column }) ?? true { end += 1 }
        return parent + 1..<end
    }

    private mutating func hide(_ index: Int, _ change: Change) {
        let line = lines[index]
        let first = line.start ?? line.range.upperBound
        let part = change == .value ? line.value : first..<max(first, line.value.upperBound)
        guard !part.isEmpty, !Redactor.isInnocent(text[unquoted(part)]), changes[index] == nil else { return }
        changes[index] = change
        count += 1
    }

    // MARK: Lines

    private func isText(_ range: Range<Int>, _ words: [String]) -> Bool { words.contains { text[range].elementsEqual($0.utf8) } }

    private func firstWord(_ range: Range<Int>) -> Range<Int> {
        range.lowerBound..<(text[range].firstIndex { $0 <= 0x20 } ?? range.upperBound)
    }

    private func unquoted(_ range: Range<Int>) -> Range<Int> {
        guard range.count >= 2, let quote = text[range].first, quote == text[range.upperBound - 1],
            quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        else { return range }
        return range.lowerBound + 1..<range.upperBound - 1
    }

    private static func line(_ text: [UInt8], _ range: Range<Int>) -> Line {
        var at = range.lowerBound
        var dash: Int?
        while at < range.upperBound {
            if text[at] == 0x20 || text[at] == 0x09 {
                at += 1
            } else if text[at] == UInt8(ascii: "-"), at + 1 < range.upperBound, text[at + 1] == 0x20 {
                dash = dash ?? at - range.lowerBound
                at += 1
            } else {
                break
            }
        }
        var end = range.upperBound
        while end > at, text[end - 1] <= 0x20 { end -= 1 }
        let start = at < end ? at : nil
        let column = start.flatMap { text[$0] != UInt8(ascii: "#") ? $0 - range.lowerBound : nil }
        guard let colon = keyEnd(text, at..<end) else {
            return Line(range: range, dash: dash, column: column, start: start, key: nil, value: end..<end)
        }
        var key = at..<colon
        if key.count >= 2, text[at] == UInt8(ascii: "\"") || text[at] == UInt8(ascii: "'") { key = at + 1..<colon - 1 }
        let value = text[colon + 1..<end].firstIndex { $0 > 0x20 } ?? end
        return Line(range: range, dash: dash, column: column, start: start, key: key, value: value..<end)
    }

    /// The colon behind a line's key: at its end, or with a blank behind it.
    private static func keyEnd(_ text: [UInt8], _ line: Range<Int>) -> Int? {
        text[line.prefix(256)].indices.first { index in
            text[index] == UInt8(ascii: ":") && (index + 1 == line.upperBound || text[index + 1] <= 0x20)
        }
    }
}
