/// What a `Range` field asks of a resource whose size is known (RFC 9110, 14.1.2): a pure function of the two.
public enum ByteRange: Sendable, Equatable {
    /// No range, one that is not in bytes, malformed, or several: the whole is a valid answer to each.
    case whole
    case part(Range<Int64>)
    /// Nothing of what was asked for exists: 416.
    case unsatisfiable

    public init(field: String?, size: Int64) {
        guard let field, let bounds = Self.bounds(of: field) else {
            self = .whole
            return
        }
        switch bounds {
        case (.some(let first), let last):
            guard last.map({ $0 >= first }) ?? true else {
                self = .whole
                return
            }
            guard first < size else {
                self = .unsatisfiable
                return
            }
            self = .part(first..<(min(last ?? size - 1, size - 1) + 1))
        case (.none, .some(let suffix)):
            self = suffix == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - suffix)..<size)
        case (.none, .none):
            self = .whole
        }
    }

    private static func bounds(of field: String) -> (first: Int64?, last: Int64?)? {
        let sides = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, sides[0].lowercased() == "bytes" else { return nil }
        let ends = sides[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, let first = number(ends[0]), let last = number(ends[1]) else { return nil }
        return (first, last)
    }

    /// Digits only: `Int64` would also take a sign. What is beyond its range is beyond every content. The outer optional is the fault, the
    /// inner one an absent end.
    private static func number(_ text: Substring) -> Int64?? {
        if text.isEmpty { return .some(nil) }
        guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        return .some(Int64(text) ?? .max)
    }
}
