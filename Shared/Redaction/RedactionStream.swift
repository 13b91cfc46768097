import RegularExpressions

/// Replaces secrets in a text that comes in pieces, wherever the borders between them are.
///
/// The text is looked at in windows of up to 32 KiB, which end behind a line where they can, and 4 KiB beyond: a secret that begins in a
/// window is found where its pattern is satisfied by then, and replaced to its end even if that comes much later. More than 512 secrets of one
/// pattern in a window are taken for an attack on time: what follows in it is replaced as a whole.
public struct RedactionStream: Sendable {
    static let windowBytesMax = 32 * 1024
    static let lookaheadBytes = 4 * 1024
    static let secretsPerWindowMax = 512
    /// Finds of one pattern that are secrets and that are none: more than the default patterns can have of the latter.
    static let matchesPerWindowMax = 8192
    static let cutBlocksMax = 16
    /// A block that never ends is replaced so far, and to the end of the line there.
    static let blockBytesMax = 64 * 1024
    /// A secret that ends so near the end of what is in memory may be longer than it seems: what ends it has to be seen.
    static let endBytes = 16
    /// At a cut, so much of the last word is left out: it may be the beginning of a secret.
    static let cutBytesMax = 4 * 1024
    /// What is seen of the text before a window: whether a word or a line begins there depends on it.
    static let contextBytes = 1

    public private(set) var counts = Redactor.Counts()
    /// Whether a window had so many secrets that what stood between them was replaced too. Such a text may become another one when it is redacted
    /// again: what is behind the mark counts as a part of the secret then.
    package private(set) var isCoarse = false
    private let groups: [RuleGroup]
    private let prefilter: SearchPattern?
    private let blockEnd: SearchPattern
    private var pending: [UInt8] = []
    private var start = 0
    /// A secret whose mark is written and whose end has not come yet.
    private var carry: Carry?

    private enum Carry {
        /// Ends at a quote or the end of the line.
        case value(isEscaped: Bool)
        /// Ends where a bare value of JSON does.
        case item
        /// Ends at `-----END`.
        case block(bytes: Int)
        case lineEnd
    }

    /// What a rule found, and what stands on both sides of the mark in its place.
    private struct Find {
        /// Where what tells of the secret begins, such as its name.
        var beginning: Int
        var range: Range<Int>
        var rule: RedactionRule
        var quote: [UInt8] = []
    }

    public init(_ redactor: Redactor) {
        self.init(redactor, redactor.groups, prefilter: redactor.prefilter)
    }

    /// - Parameter prefilter: found where any of the rules is, nil where there is none.
    init(_ redactor: Redactor, _ groups: [RuleGroup], prefilter: SearchPattern? = nil) {
        self.groups = groups
        self.prefilter = prefilter
        blockEnd = redactor.blockEnd
    }

    /// Takes the next piece and returns what is settled by now.
    public mutating func append(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        pending += bytes
        var output: [UInt8] = []
        while pending.count - start >= Self.windowBytesMax + Self.lookaheadBytes { step(isLast: false, into: &output) }
        let settled = max(0, start - Self.contextBytes)
        pending.removeFirst(settled)
        start -= settled
        return output
    }

    /// Ends the text and returns the rest.
    ///
    /// - Parameter isCut: whether there was more. The last word is left out then, as far as it does not reach back too far.
    public mutating func finish(isCut: Bool = false) -> [UInt8] {
        if isCut, let space = pending.lastIndex(where: { $0 <= 0x20 }), pending.count - space <= Self.cutBytesMax {
            pending.removeSubrange((space + 1)...)
        }
        var output: [UInt8] = []
        while start < pending.count { step(isLast: true, into: &output) }
        pending = []
        start = 0
        return output
    }

    /// Settles one window.
    private mutating func step(isLast: Bool, into output: inout [UInt8]) {
        skipCarried()
        guard carry == nil else {
            // All of the rest belongs to the secret.
            if isLast { start = pending.count }
            return
        }
        // What is left behind a long secret may be the beginning of another, of which the next piece has the end.
        guard pending.count - start >= (isLast ? 1 : Self.windowBytesMax + Self.lookaheadBytes) else { return }
        let end = min(start + Self.windowBytesMax + Self.lookaheadBytes, pending.count)
        let isEnd = isLast && end == pending.count
        let limit = isEnd ? end : windowEnd(end)
        let secrets = secrets(in: start..<end, beginningBefore: limit, &isCoarse)
        let cut = isEnd ? end : whole(secrets, limit)
        var at = start
        for find in secrets where find.range.lowerBound >= at && find.beginning < cut {
            output += pending[at..<find.range.lowerBound]
            output += find.quote
            output += Redactor.mark.utf8
            output += find.quote
            counts.add(find.rule.name)
            at = find.range.upperBound
            if !isEnd, mayGoOn(find.rule.extent, from: at, end: end) {
                at = end
                carry = carry(of: find.rule.extent, at: end)
            }
        }
        if at < cut { output += pending[at..<cut] }
        start = max(at, cut)
    }

    /// Behind the last line end of the window's second half, if there is one.
    private func windowEnd(_ end: Int) -> Int {
        let limit = min(start + Self.windowBytesMax, end)
        let middle = start + (limit - start) / 2
        return pending[middle..<limit].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? limit
    }

    /// The cut, moved to where no secret stands behind it that is named before it: between the two there may be others. One that is named too far
    /// ahead does not move it.
    private func whole(_ secrets: [Find], _ limit: Int) -> Int {
        var cut = limit
        while let split = secrets.first(where: { $0.beginning < cut && $0.range.lowerBound >= cut }) {
            guard split.beginning >= start + Self.windowBytesMax / 4 else { return limit }
            cut = split.beginning
        }
        return cut
    }

    /// Whether a secret that ends there is longer, for all that is seen.
    private func mayGoOn(_ extent: RedactionRule.Extent, from at: Int, end: Int) -> Bool {
        guard extent != .block, at < end else { return at == end }
        return at > end - Self.endBytes && !(extent == .item ? Self.endsItem(pending[at]) : Self.endsValue(pending[at]))
    }

    private func carry(of extent: RedactionRule.Extent, at end: Int) -> Carry {
        switch extent {
        case .line: .value(isEscaped: isEscaped(at: end))
        case .item: .item
        case .block: .block(bytes: 0)
        }
    }

    private static func endsValue(_ byte: UInt8) -> Bool { isLineEnd(byte) || isQuote(byte) }
    private static func endsItem(_ byte: UInt8) -> Bool { byte <= 0x20 || isQuote(byte) || itemEnds.contains(byte) }
    private static let itemEnds = Array(",]}\\".utf8)
    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D || byte == 0 }
    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    /// Whether what stands before belongs to an escape that is not complete.
    private func isEscaped(at end: Int) -> Bool {
        !pending[..<end].reversed().prefix { $0 == UInt8(ascii: "\\") }.count.isMultiple(of: 2)
    }

    /// Drops what belongs to a secret that began before.
    private mutating func skipCarried() {
        switch carry {
        case nil: return
        case .value(let isEscaped): skipValue(isEscaped)
        case .block(let bytes): skipBlock(bytes)
        case .item: skip(to: Self.endsItem)
        case .lineEnd: skip { $0 == 0x0A }
        }
    }

    private mutating func skip(to isEnd: (UInt8) -> Bool) {
        let end = pending[start...].firstIndex(where: isEnd)
        start = end ?? pending.count
        if end != nil { carry = nil }
    }

    private mutating func skipValue(_ wasEscaped: Bool) {
        var isEscaped = wasEscaped
        while start < pending.count {
            let byte = pending[start]
            if isEscaped ? Self.isLineEnd(byte) : Self.endsValue(byte) {
                carry = nil
                return
            }
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            start += 1
        }
        carry = .value(isEscaped: isEscaped)
    }

    private mutating func skipBlock(_ before: Int) {
        let rest = pending[start...]
        let text = rest.prefix(Self.blockBytesMax - before)
        if let end = text.withUnsafeBufferPointer({ blockEnd.firstMatch(in: $0) }) {
            start += end.range.lowerBound
            carry = nil
        } else if before + rest.count >= Self.blockBytesMax {
            start += Self.blockBytesMax - before
            carry = .lineEnd
            skipCarried()
        } else {
            // The marker itself may be cut in two.
            let kept = min(rest.count, 7)
            carry = .block(bytes: before + rest.count - kept)
            start = pending.count - kept
        }
    }

    /// What is to be replaced, in order and without overlaps.
    private func secrets(
        in window: Range<Int>, beginningBefore cut: Int, _ isCoarse: inout Bool
    ) -> [Find] {
        pending.withUnsafeBufferPointer { all -> [Find] in
            let base = max(0, window.lowerBound - Self.contextBytes)
            let text = UnsafeBufferPointer(rebasing: all[base..<window.upperBound])
            if let prefilter, !prefilter.matches(text) { return [] }
            var found: [Find] = []
            for rule in groups.lazy.filter({ $0.mayMatch(text) }).flatMap(\.rules) where rule.mayMatch(text) {
                found += Self.finds(of: rule, in: text, from: window.lowerBound - base, beginningBefore: cut - base, &isCoarse)
            }
            found.sort { ($0.range.lowerBound, $1.range.upperBound) < ($1.range.lowerBound, $0.range.upperBound) }
            var merged: [Find] = []
            for var find in found {
                find.range = find.range.lowerBound + base..<find.range.upperBound + base
                find.beginning += base
                if let last = merged.last, find.range.lowerBound <= last.range.upperBound {
                    merged[merged.count - 1] = Self.merged(last, find)
                } else {
                    merged.append(find)
                }
            }
            return merged
        }
    }

    /// What two finds cover that overlap: the one that reaches further says where it ends, the one that covers all how it is quoted.
    private static func merged(_ first: Find, _ second: Find) -> Find {
        let range = first.range.lowerBound..<max(first.range.upperBound, second.range.upperBound)
        let isFurther =
            second.range.upperBound > first.range.upperBound
            || second.range.upperBound == first.range.upperBound && second.rule.extent == .block
        let quote = [first, second].first { $0.range == range && !$0.quote.isEmpty }?.quote ?? []
        let beginning = min(first.beginning, second.beginning)
        return Find(beginning: beginning, range: range, rule: isFurther ? second.rule : first.rule, quote: quote)
    }

    private static func finds(
        of rule: RedactionRule, in text: UnsafeBufferPointer<UInt8>, from start: Int, beginningBefore limit: Int, _ isCoarse: inout Bool
    ) -> [Find] {
        var found: [Find] = []
        var at = start
        var matches = 0
        var secrets = 0
        // Blocks that an earlier redaction has cut: what follows is no longer theirs.
        var cutBlocks = 0
        while at < limit, let match = rule.pattern.firstMatch(in: text, from: at), match.range.lowerBound < limit {
            matches += 1
            let own = rule.secrets(of: match).filter { !Redactor.isInnocent(ArraySlice(text[$0])) }
            at = max(match.range.upperBound, match.range.lowerBound + 1)
            guard let first = own.first else { continue }
            if rule.extent == .block, cutBlocks < cutBlocksMax, text[first].starts(with: Redactor.mark.utf8) {
                cutBlocks += 1
                at = first.lowerBound + Redactor.mark.utf8.count
                continue
            }
            secrets += 1
            guard secrets <= secretsPerWindowMax, matches <= matchesPerWindowMax else {
                isCoarse = true
                let end = end(of: rule, in: text, from: match.range.lowerBound, beginningBefore: limit)
                let begin = match.range.lowerBound
                return found + [Find(beginning: begin, range: begin..<end, rule: rule)]
            }
            let quote = rule.quote(of: match, in: text)
            found += own.map { Find(beginning: match.range.lowerBound, range: $0, rule: rule, quote: quote) }
        }
        return found
    }

    /// Where the last match ends that begins before the limit, as far as it can be told at little cost.
    private static func end(
        of rule: RedactionRule, in text: UnsafeBufferPointer<UInt8>, from start: Int, beginningBefore limit: Int
    ) -> Int {
        var end = limit
        var at = max(start, limit - lookaheadBytes)
        for _ in 0..<secretsPerWindowMax {
            guard at < limit, let match = rule.pattern.firstMatch(in: text, from: at), match.range.lowerBound < limit else { return end }
            end = max(end, match.range.upperBound)
            at = max(match.range.upperBound, match.range.lowerBound + 1)
        }
        return text.count
    }
}
