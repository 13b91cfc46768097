/// A JSON document as a value (RFC 8259).
///
/// Whole numbers that fit 64 bits are `integer`; all others are `number`. Member order is not kept: encoding sorts keys, so equal values
/// have equal bytes.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])
}
