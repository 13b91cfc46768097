import RegularExpressions

/// One kind of secret: how it is found, and what of it is replaced.
struct RedactionRule: Sendable {
    /// Where a secret ends that does not end within what is in memory.
    enum Extent: Sendable {
        /// At a quote or the end of the line.
        case line
        /// Where a bare value of JSON ends.
        case item
        /// Behind the `-----END` of its block.
        case block
    }

    /// For metrics and documents.
    let name: String
    let pattern: SearchPattern
    let extent: Extent
    /// One of these is in every text that the pattern matches; none where it is not known.
    private let literals: [Pattern]

    init(_ name: String, _ source: String, extent: Extent = .line, literals: [String] = []) throws(PatternError) {
        var patterns: [Pattern] = []
        for literal in literals { patterns.append(try Pattern(compiling: literal)) }
        self.literals = patterns
        self.name = name
        pattern = try SearchPattern(compiling: source)
        self.extent = extent
    }

    /// Whether a search is worth the while; far faster than the search is.
    func mayMatch(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        literals.isEmpty || literals.contains { $0.matches(text) }
    }

    /// What of a match is secret: its groups that took part, or all of it where the pattern has none. The first group of a bare value of JSON
    /// is what escapes the quotes around its name.
    func secrets(of match: SearchPattern.Match) -> [Range<Int>] {
        guard !match.groups.isEmpty else { return [match.range] }
        return match.groups.dropFirst(extent == .item ? 1 : 0).compactMap { $0 }.filter { !$0.isEmpty }
    }

    /// What stands on both sides of the mark: a bare value of JSON becomes a string, quoted as its name is.
    func quote(of match: SearchPattern.Match, in text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard extent == .item else { return [] }
        return (match.groups.first?.map { Array(text[$0]) } ?? []) + [UInt8(ascii: "\"")]
    }
}

/// Rules of which mostly none is found where none of the others is.
struct RuleGroup: Sendable {
    let rules: [RedactionRule]
    /// Found where any rule is; nil where each is to be tried.
    private let any: SearchPattern?

    init(_ rules: [RedactionRule], isTriedTogether: Bool = true) {
        self.rules = rules
        any = isTriedTogether ? SearchPattern.any(of: rules.map(\.pattern)) : nil
    }

    func mayMatch(_ text: UnsafeBufferPointer<UInt8>) -> Bool { any?.matches(text) ?? true }
}
