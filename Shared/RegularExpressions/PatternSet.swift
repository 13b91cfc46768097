internal import CRE2

/// Many patterns matched against a text in one pass.
///
/// Answers what matching each pattern by itself would answer. Patterns that together outgrow `PatternLimits.setMemoryBytesMax` are split
/// into halves until they fit.
public final class PatternSet: Sendable {
    /// The patterns; an index in an answer is an index in here.
    public let patterns: [Pattern]
    private let root: Shard?

    /// Compiles the patterns' common automaton. Takes about 12 µs and 2 KB a pattern.
    public convenience init(_ patterns: [Pattern]) {
        self.init(patterns, memoryBytesMax: PatternLimits.setMemoryBytesMax)
    }

    init(_ patterns: [Pattern], memoryBytesMax: Int64) {
        self.patterns = patterns
        root = patterns.isEmpty ? nil : Shard(patterns[...], memoryBytesMax: memoryBytesMax)
    }

    /// The indices of all patterns that match somewhere in `text`, ascending.
    public func matches(in text: [UInt8]) -> [Int] {
        text.withUnsafeBufferPointer(matches)
    }

    /// The indices of all patterns that match somewhere in the UTF-8 of `text`, ascending.
    public func matches(in text: String) -> [Int] {
        text.utf8.withContiguousStorageIfAvailable(matches) ?? matches(in: Array(text.utf8))
    }

    /// The indices of all patterns that match somewhere in `text`, ascending. The text is only read during the call.
    public func matches(in text: UnsafeBufferPointer<UInt8>) -> [Int] {
        guard let root else { return [] }
        var found: [Int] = []
        root.collect(text, into: &found)
        found.sort()
        return found
    }

    /// Into how many automata the patterns are split.
    public var automatonCount: Int { root?.automatonCount ?? 0 }
}

/// A run of the patterns with one automaton, or two halves where they do not fit into one.
private indirect enum Shard: Sendable {
    case automaton(Automaton, of: ArraySlice<Pattern>)
    case halves(Shard, Shard)
    /// A single pattern that has no automaton in this memory: it is matched alone.
    case single(Pattern, index: Int)

    init(_ patterns: ArraySlice<Pattern>, memoryBytesMax: Int64) {
        if let automaton = Automaton(patterns, memoryBytesMax: memoryBytesMax) {
            self = .automaton(automaton, of: patterns)
        } else if patterns.count == 1, let only = patterns.first {
            self = .single(only, index: patterns.startIndex)
        } else {
            let middle = patterns.startIndex + patterns.count / 2
            self = .halves(
                Shard(patterns[..<middle], memoryBytesMax: memoryBytesMax), Shard(patterns[middle...], memoryBytesMax: memoryBytesMax))
        }
    }

    func collect(_ text: UnsafeBufferPointer<UInt8>, into found: inout [Int]) {
        switch self {
        case .halves(let first, let second):
            first.collect(text, into: &found)
            second.collect(text, into: &found)
        case .single(let pattern, let index):
            if pattern.matches(text) { found.append(index) }
        case .automaton(let automaton, let patterns):
            if automaton.collect(text, offset: patterns.startIndex, into: &found) { return }
            // The compiled automaton has proved that it can run in its memory, so this is the process being out of memory: RE2's answer
            // is unknown, ours must not be.
            for index in patterns.indices where patterns[index].matches(text) { found.append(index) }
        }
    }

    var automatonCount: Int {
        switch self {
        case .automaton, .single: 1
        case .halves(let first, let second): first.automatonCount + second.automatonCount
        }
    }
}

/// Owns one RE2::Set.
///
/// `@unchecked`: the handle is constant, `RE2::Set::Match` is const and locks its automaton's cache itself, and `deinit` runs when nobody
/// uses it any more.
private final class Automaton: @unchecked Sendable {
    private let handle: OpaquePointer

    /// Nil if the patterns do not fit into the memory together.
    init?(_ patterns: ArraySlice<Pattern>, memoryBytesMax: Int64) {
        guard let handle = cre2_set_new(memoryBytesMax) else { return nil }
        self.handle = handle
        for pattern in patterns {
            var source = pattern.source
            let added = source.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) { cre2_set_add(handle, $0.baseAddress, $0.count) }
            }
            precondition(added, "a pattern that compiled alone is accepted by a set")
        }
        guard cre2_set_compile(handle) else { return nil }
    }

    deinit {
        cre2_set_free(handle)
    }

    /// Appends what matches, each index plus `offset`; false if the automaton ran out of memory on this text.
    func collect(_ text: UnsafeBufferPointer<UInt8>, offset: Int, into found: inout [Int]) -> Bool {
        withUnsafeMutablePointer(to: &found) { target in
            var sink = Sink(target: target, offset: offset)
            let count = text.withMemoryRebound(to: CChar.self) { text in
                cre2_set_match(handle, text.baseAddress, text.count, &sink) { context, indices, count in
                    guard let sink = context?.assumingMemoryBound(to: Sink.self).pointee else { return }
                    for index in UnsafeBufferPointer(start: indices, count: count) {
                        sink.target.pointee.append(Int(index) + sink.offset)
                    }
                }
            }
            return count >= 0
        }
    }

    private struct Sink {
        let target: UnsafeMutablePointer<[Int]>
        let offset: Int
    }
}
