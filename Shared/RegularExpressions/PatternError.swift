/// Why a pattern cannot be compiled.
public struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// RE2's own words ("missing ): (abc"), or which of our limits was exceeded.
    public let message: String

    public init(message: String) {
        self.message = message
    }

    public var description: String { message }
}

/// What a pattern and a set of patterns may use.
public enum PatternLimits {
    /// The longest pattern that is compiled, in bytes of UTF-8.
    public static let patternBytesMax = 4096
    /// Memory of one compiled pattern with its automaton; RE2's default.
    public static let patternMemoryBytesMax: Int64 = 8 << 20
    /// Groups that a search tells.
    public static let groupsMax = 16
    /// Memory of one set with its automaton. With RE2's default of 8 MiB a set of 10,000 patterns does not compile.
    public static let setMemoryBytesMax: Int64 = 64 << 20
}
