import RegularExpressions

/// Replaces secrets in a text that comes in pieces, wherever the borders between them are.
///
/// The text is looked at in windows of up to 32 KiB, which end behind a line where they can, and 4 KiB beyond: a secret that begins in a
/// window is found where its pattern is satisfied by then, and replaced to its end even if that comes much later. More than 512 finds of one
/// pattern in a window are taken for an attack on time: what follows in it is replaced as a whole.
public struct RedactionStream: Sendable {
    static let windowBytesMax = 32 * 1024
    static let lookaheadBytes = 4 * 1024
    static let matchesPerWindowMax = 512
    /// A block that never ends is replaced so far.
    static let blockBytesMax = 64 * 1024
    /// At a cut, so much of the last word is left out: it may be the beginning of a secret.
    static let cutBytesMax = 4 * 1024

    public private(set) var counts = Redactor.Counts()
    private let redactor: Redactor
    private var pending: [UInt8] = []
    private var start = 0
    /// A secret whose mark is written and whose end has not come yet.
    private var carry: (extent: RedactionRule.Extent, bytes: Int)?

    public init(_ redactor: Redactor) {
        self.redactor = redactor
    }

    /// Takes the next piece and returns what is settled by now.
    public mutating func append(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        pending += bytes
        var output: [UInt8] = []
        while pending.count - start >= Self.windowBytesMax + Self.lookaheadBytes { step(isLast: false, into: &output) }
        pending.removeFirst(start)
        start = 0
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
        guard start < pending.count else { return }
        let end = min(start + Self.windowBytesMax + Self.lookaheadBytes, pending.count)
        let isEnd = isLast && end == pending.count
        let cut = isEnd ? end : windowEnd(end)
        let secrets = secrets(in: start..<end, beginningBefore: cut)
        var at = start
        for (range, rule) in secrets {
            output += pending[at..<range.lowerBound]
            output += Redactor.mark.utf8
            counts.add(rule.name)
            at = range.upperBound
            if at == end, !isEnd { carry = (rule.extent, 0) }
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

    /// Drops what belongs to a secret that began before.
    private mutating func skipCarried() {
        guard let (extent, before) = carry else { return }
        let rest = pending[start...]
        let found: Int?
        switch extent {
        case .line: found = rest.firstIndex { $0 == 0x0A || $0 == 0x0D || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
        case .block:
            let text = rest.prefix(Self.blockBytesMax - before)
            found = text.withUnsafeBufferPointer { redactor.blockEnd.firstMatch(in: $0) }.map { text.startIndex + $0.range.lowerBound }
        }
        if let found {
            start = found
            carry = nil
        } else if extent == .block, before + rest.count >= Self.blockBytesMax {
            start += Self.blockBytesMax - before
            carry = nil
        } else {
            // The marker itself may be cut in two.
            let kept = extent == .block ? min(rest.count, 7) : 0
            carry = (extent, before + rest.count - kept)
            start = pending.count - kept
        }
    }

    /// What is to be replaced, in order and without overlaps.
    private func secrets(in window: Range<Int>, beginningBefore cut: Int) -> [(Range<Int>, RedactionRule)] {
        pending.withUnsafeBufferPointer { all -> [(Range<Int>, RedactionRule)] in
            let text = UnsafeBufferPointer(rebasing: all[window])
            if let prefilter = redactor.prefilter, !prefilter.matches(text) { return [] }
            var found: [(Range<Int>, RedactionRule)] = []
            for rule in redactor.rules {
                found += Self.finds(of: rule, in: text, beginningBefore: cut - window.lowerBound).map { ($0, rule) }
            }
            found.sort { ($0.0.lowerBound, $1.0.upperBound) < ($1.0.lowerBound, $0.0.upperBound) }
            var merged: [(Range<Int>, RedactionRule)] = []
            for (range, rule) in found {
                let range = range.lowerBound + window.lowerBound..<range.upperBound + window.lowerBound
                if let last = merged.last, range.lowerBound < last.0.upperBound {
                    merged[merged.count - 1].0 = last.0.lowerBound..<max(last.0.upperBound, range.upperBound)
                } else {
                    merged.append((range, rule))
                }
            }
            return merged
        }
    }

    private static func finds(of rule: RedactionRule, in text: UnsafeBufferPointer<UInt8>, beginningBefore limit: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var at = 0
        var matches = 0
        while at < limit, let match = rule.pattern.firstMatch(in: text, from: at), match.range.lowerBound < limit {
            matches += 1
            guard matches <= matchesPerWindowMax else { return found + [match.range.lowerBound..<limit] }
            found += RedactionRule.secrets(of: match).filter { !Redactor.isInnocent(ArraySlice(text[$0])) }
            at = max(match.range.upperBound, match.range.lowerBound + 1)
        }
        return found
    }
}
