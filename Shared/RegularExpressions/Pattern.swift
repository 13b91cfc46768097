internal import CRE2

/// A compiled RE2 pattern that asks whether it matches anywhere in a text.
///
/// Syntax: <https://github.com/google/re2/wiki/Syntax>, with RE2's defaults, which are those of Go's `regexp`: unanchored, case-sensitive,
/// `.` does not match a newline, `$` is the end of the text alone. A text need not be valid UTF-8. Matching takes time linear in the text.
public final class Pattern: Sendable {
    /// The pattern as it was written.
    public let source: String
    /// What the pattern means where it needs no automaton.
    public let form: PatternForm
    /// Nil where `form` decides alone, so that thousands of plain names cost no automaton.
    private let expression: Expression?

    /// Compiles `source`; what RE2 does not accept, or more than `PatternLimits.patternBytesMax`, is an error.
    public init(compiling source: String) throws(PatternError) {
        let expression = try Expression(source)
        self.source = source
        form = PatternForm(analyzing: source)
        if case .expression = form {
            self.expression = expression
        } else {
            self.expression = nil
        }
    }

    /// Whether the pattern matches somewhere in `text`.
    public func matches(_ text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer(matches)
    }

    /// Whether the pattern matches somewhere in the UTF-8 of `text`.
    public func matches(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable(matches) ?? matches(Array(text.utf8))
    }

    /// Whether the pattern matches somewhere in `text`, which is only read during the call.
    public func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch form {
        case .exact(let literal): literal.withUnsafeBufferPointer { ByteSearch.equal($0, text) }
        case .substring(let literal): literal.withUnsafeBufferPointer { ByteSearch.contains(text, $0) }
        case .expression: expression.map { $0.matches(text) } ?? false
        }
    }
}

/// Owns one RE2 object.
///
/// `@unchecked`: the handle is constant, RE2 objects may be matched against by any number of threads at once (re2.h), and `deinit` runs
/// when nobody uses it any more.
private final class Expression: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ source: String) throws(PatternError) {
        var source = source
        let bytes = source.utf8.count
        guard bytes <= PatternLimits.patternBytesMax else {
            throw PatternError(message: "pattern is \(bytes) bytes long, at most \(PatternLimits.patternBytesMax) are allowed")
        }
        var message = [CChar](repeating: 0, count: 512)
        let compiled: OpaquePointer? = source.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                cre2_pattern_new(text.baseAddress, text.count, PatternLimits.patternMemoryBytesMax, &message, message.count)
            }
        }
        guard let compiled else { throw PatternError(message: String(nulTerminated: message)) }
        handle = compiled
    }

    deinit {
        cre2_pattern_free(handle)
    }

    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.withMemoryRebound(to: CChar.self) { cre2_pattern_matches(handle, $0.baseAddress, $0.count) }
    }
}
