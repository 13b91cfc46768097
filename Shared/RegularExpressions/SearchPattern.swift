internal import CRE2

/// A compiled RE2 pattern that tells where it matches, by bytes.
///
/// Syntax as for `Pattern`, but that each byte is a character of its own: what is no UTF-8 matches `.` and negated classes too, and a
/// literal beyond ASCII is its bytes, so that it does not fit into a class. Searching takes time linear in the text.
public final class SearchPattern: Sendable {
    /// Where a pattern was found, in offsets of bytes.
    public struct Match: Sendable, Equatable {
        public let range: Range<Int>
        /// The pattern's groups in order; nil for one that took no part.
        public let groups: [Range<Int>?]
    }

    /// The pattern as it was written.
    public let source: String
    private let search: Search
    private let spans: Int

    /// Compiles `source`; what RE2 does not accept, or more than `PatternLimits.patternBytesMax`, is an error.
    public convenience init(compiling source: String) throws(PatternError) {
        let bytes = source.utf8.count
        guard bytes <= PatternLimits.patternBytesMax else {
            throw PatternError(message: "pattern is \(bytes) bytes long, at most \(PatternLimits.patternBytesMax) are allowed")
        }
        try self.init(source)
        guard spans <= PatternLimits.groupsMax + 1 else {
            throw PatternError(message: "pattern has \(spans - 1) groups, at most \(PatternLimits.groupsMax) are allowed")
        }
    }

    /// One that is found where any of `patterns` is, whose matches have no groups. Nil where they are too many for one automaton.
    public static func any(of patterns: [SearchPattern]) -> SearchPattern? {
        do throws(PatternError) {
            return try SearchPattern(patterns.map { "(?:\($0.source))" }.joined(separator: "|"), hasGroups: false)
        } catch {
            return nil
        }
    }

    private init(_ source: String, hasGroups: Bool = true) throws(PatternError) {
        search = try Search(source)
        self.source = source
        spans = hasGroups ? search.groupCount + 1 : 1
    }

    /// The leftmost match that begins at `start` or later; `^`, `$` and `\b` see what is before it.
    public func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Match? {
        guard start <= text.count else { return nil }
        return withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * spans) { bounds in
            guard search.find(text, from: start, into: bounds, spans: spans) else { return nil }
            let ranges = (0..<spans).map { index -> Range<Int>? in
                // SIZE_MAX is -1 here.
                bounds[2 * index] < 0 ? nil : bounds[2 * index]..<bounds[2 * index + 1]
            }
            return ranges[0].map { Match(range: $0, groups: Array(ranges[1...])) }
        }
    }

    /// Whether there is any match.
    public func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool { search.find(text, from: 0, into: nil, spans: 0) }

    /// Whether there is any match in the UTF-8 of `text`.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8(matches)
    }
}

/// Owns one RE2 object.
///
/// `@unchecked`: as for `Expression`, the handle is constant, and RE2 objects may be matched against by any number of threads at once.
private final class Search: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ source: String) throws(PatternError) {
        var source = source
        var message = [CChar](repeating: 0, count: 512)
        let compiled: OpaquePointer? = source.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                cre2_search_new(text.baseAddress, text.count, PatternLimits.patternMemoryBytesMax, &message, message.count)
            }
        }
        guard let compiled else { throw PatternError(message: String(nulTerminated: message)) }
        handle = compiled
    }

    deinit {
        cre2_search_free(handle)
    }

    var groupCount: Int { Int(cre2_search_groups(handle)) }

    func find(_ text: UnsafeBufferPointer<UInt8>, from start: Int, into bounds: UnsafeMutableBufferPointer<Int>?, spans: Int) -> Bool {
        text.withMemoryRebound(to: CChar.self) { text in
            cre2_search_find(handle, text.baseAddress, text.count, start, bounds?.baseAddress, Int32(spans))
        }
    }
}

extension String {
    /// The bytes of a C buffer up to its NUL.
    init(nulTerminated buffer: [CChar]) {
        let end = buffer.firstIndex(of: 0) ?? buffer.endIndex
        self.init(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
