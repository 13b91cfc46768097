import RegularExpressions

extension FuzzTarget {
    /// A pattern and, in a second part, a text. What is decided without an automaton is what RE2 decides, alone and within a set.
    static let pattern = FuzzTarget(
        "pattern", bytesMax: 1024,
        words: [
            Sections.separator, "(?i)", "(?s)", "\\Q", "\\E", "[[:alpha:]]", "\\pL", "{1,1000}", ".*", "(a|b)*", "\\x{10FFFF}", "\\C",
            "\\z",
        ]
    ) { input in
        let parts = Sections(input)
        guard let source = parts.text(0) else { return }
        let pattern: Pattern
        do throws(PatternError) {
            pattern = try Pattern(compiling: source)
        } catch {
            try expect(!error.message.isEmpty, "refused without a word")
            return
        }
        let set = PatternSet([pattern])
        let pair = PatternSet([pattern, try Pattern(compiling: ".?")])
        var text = parts[1]
        // Once as it is, once so long that what is not linear in the text takes its time.
        for _ in 0..<2 {
            let found = pattern.matches(text)
            try expect(set.matches(in: text) == (found ? [0] : []), "alone it says \(found), in a set another thing")
            try expect(pair.matches(in: text) == (found ? [0, 1] : [1]), "alone it says \(found), in a pair another thing")
            text = Array(repeatElement(text, count: 4096 / max(1, text.count)).joined())
        }
        if let text = parts.text(1) {
            try expect(pattern.matches(text) == pattern.matches(parts[1]), "the text and its bytes are matched differently")
        }
        if case .exact(let literal) = pattern.form { try expect(pattern.matches(literal), "it does not match what it spells") }
        if case .substring(let literal) = pattern.form { try expect(pattern.matches(literal), "it does not match what it spells") }
    }
}
