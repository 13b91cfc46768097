import JSONCoding

/// JSON as block-style YAML, keys in the usual order of an object, texts of several lines as literal blocks.
enum YAMLText {
    private static let first = ["apiVersion", "kind", "metadata", "spec", "status", "name", "namespace", "id", "operation"]

    static func text(_ json: JSON) -> String {
        var lines: [String] = []
        append(json, indent: 0, to: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func append(_ json: JSON, indent: Int, to lines: inout [String]) {
        let blanks = String(repeating: "  ", count: indent)
        switch json {
        case .object(let members) where !members.isEmpty:
            for key in ordered(members.keys) {
                if let value = members[key] { append(value, behind: "\(blanks)\(scalar(key)):", indent: indent + 1, to: &lines) }
            }
        case .array(let items) where !items.isEmpty:
            for item in items {
                var inner: [String] = []
                append(item, behind: nil, indent: indent + 1, to: &inner)
                // The first line moves up beside the dash.
                lines.append("\(blanks)- \(inner[0].dropFirst(blanks.count + 2))")
                lines += inner.dropFirst()
            }
        default: lines.append(blanks + leaf(json, indent: indent))
        }
    }

    private static func append(_ value: JSON, behind key: String?, indent: Int, to lines: inout [String]) {
        guard let key else {
            append(value, indent: indent, to: &lines)
            return
        }
        switch value {
        case .object(let members) where !members.isEmpty:
            lines.append(key)
            append(value, indent: indent, to: &lines)
        case .array(let items) where !items.isEmpty:
            lines.append(key)
            append(value, indent: indent - 1, to: &lines)
        default: lines.append("\(key) \(leaf(value, indent: indent))")
        }
    }

    private static func leaf(_ value: JSON, indent: Int) -> String {
        switch value {
        case .object: return "{}"
        case .array: return "[]"
        case .string(let text): return block(text, indent: indent) ?? scalar(text)
        default: return value.description
        }
    }

    /// A literal block, where the text can stand in one as it is.
    private static func block(_ text: String, indent: Int) -> String? {
        guard text.contains("\n"), let first = text.first, first != " ", first != "\n", !text.contains("\r"),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) || $0 == "\n" || $0 == "\t" }),
            text.unicodeScalars.allSatisfy({ $0.value != 0x2028 && $0.value != 0x2029 && $0.value != 0xFEFF })
        else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let keeps = lines.last == ""
        if keeps { lines.removeLast() }
        // Further empty lines at the end need the keeping indicator; such a text is quoted instead.
        if lines.last == "" { return nil }
        let blanks = String(repeating: "  ", count: max(indent, 1))
        return "|\(keeps ? "" : "-")\n" + lines.map { $0.isEmpty ? "" : blanks + $0 }.joined(separator: "\n")
    }

    /// Plain where YAML can read it as nothing but this text, else in JSON's quotes, which YAML reads too.
    private static func scalar(_ text: String) -> String {
        let isPlain =
            text.first?.isASCII == true && (text.first?.isLetter == true || text.first == "/")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-_./".utf8.contains(byte)
            }
        let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        if isPlain, !words.contains(text.lowercased()) { return text }
        return String(decoding: JSON.string(text).encoded(), as: UTF8.self)
    }

    private static func ordered(_ keys: some Collection<String>) -> [String] {
        keys.sorted { left, right in
            let (a, b) = (first.firstIndex(of: left) ?? first.count, first.firstIndex(of: right) ?? first.count)
            return (a, left) < (b, right)
        }
    }
}
