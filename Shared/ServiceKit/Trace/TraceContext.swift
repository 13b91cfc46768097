/// The position in a distributed trace that a request, a job or a log line belongs to (W3C Trace Context, level 1).
///
/// It is carried explicitly, as a value: from the webhook over every hand-over to the script's environment.
public struct TraceContext: Sendable, Hashable {
    /// The 128 bits that all spans of one trace share, in two halves; never both zero.
    public let traceHigh: UInt64
    public let traceLow: UInt64
    /// The span that is current; never zero.
    public let spanID: UInt64
    /// Bit 0 says that the caller samples this trace; the other bits are passed on.
    public let flags: UInt8

    /// A new trace with its first span, sampled.
    public init() {
        var generator = TraceIDGenerator()
        self.init(using: &generator)
    }

    /// A new trace whose ids come from `generator`.
    public init(using generator: inout some RandomNumberGenerator) {
        traceHigh = generator.next()
        traceLow = Self.nonZero(&generator)
        spanID = Self.nonZero(&generator)
        flags = 1
    }

    /// Reads a `traceparent` field: `00-<32 hex>-<16 hex>-<2 hex>`.
    ///
    /// Versions above 00 may carry more behind a further dash, which is ignored as the recommendation demands. Anything malformed, upper
    /// case or all-zero is nil: the receiver then starts a trace of its own.
    public init?(traceparent text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 55, bytes.count <= Self.fieldBytesMax else { return nil }
        guard bytes[2] == Self.dash, bytes[35] == Self.dash, bytes[52] == Self.dash else { return nil }
        guard let version = Self.hex(bytes[0..<2]), version != 0xFF else { return nil }
        if version == 0 {
            guard bytes.count == 55 else { return nil }
        } else {
            guard bytes.count == 55 || bytes[55] == Self.dash else { return nil }
        }
        guard let high = Self.hex(bytes[3..<19]), let low = Self.hex(bytes[19..<35]), high != 0 || low != 0,
            let span = Self.hex(bytes[36..<52]), span != 0, let flags = Self.hex(bytes[53..<55])
        else { return nil }
        self.init(traceHigh: high, traceLow: low, spanID: span, flags: UInt8(flags))
    }

    private init(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, flags: UInt8) {
        (self.traceHigh, self.traceLow, self.spanID, self.flags) = (traceHigh, traceLow, spanID, flags)
    }

    /// A span below this one, in the same trace.
    public func child() -> TraceContext {
        var generator = TraceIDGenerator()
        return child(using: &generator)
    }

    /// A span below this one whose id comes from `generator`.
    public func child(using generator: inout some RandomNumberGenerator) -> TraceContext {
        TraceContext(traceHigh: traceHigh, traceLow: traceLow, spanID: Self.nonZero(&generator), flags: flags)
    }

    /// The 32 lowercase hexadecimal digits that log lines carry as `trace_id`.
    public var traceID: String {
        String(unsafeUninitializedCapacity: 32) { bytes in
            Self.writeHex(traceHigh, digits: 16, to: bytes, at: 0)
            Self.writeHex(traceLow, digits: 16, to: bytes, at: 16)
            return 32
        }
    }

    /// The 16 digits of the current span.
    public var spanHex: String {
        String(unsafeUninitializedCapacity: 16) { bytes in
            Self.writeHex(spanID, digits: 16, to: bytes, at: 0)
            return 16
        }
    }

    /// The field's value for an outgoing request.
    public var traceparent: String {
        String(unsafeUninitializedCapacity: 55) { bytes in
            Self.writeHex(0, digits: 2, to: bytes, at: 0)
            Self.writeHex(traceHigh, digits: 16, to: bytes, at: 3)
            Self.writeHex(traceLow, digits: 16, to: bytes, at: 19)
            Self.writeHex(spanID, digits: 16, to: bytes, at: 36)
            Self.writeHex(UInt64(flags), digits: 2, to: bytes, at: 53)
            for index in [2, 35, 52] { bytes[index] = Self.dash }
            return 55
        }
    }

    private static let dash = UInt8(ascii: "-")
    private static let fieldBytesMax = 512

    private static func nonZero(_ generator: inout some RandomNumberGenerator) -> UInt64 {
        while true {
            let value: UInt64 = generator.next()
            if value != 0 { return value }
        }
    }

    private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    private static func writeHex(_ value: UInt64, digits: Int, to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
        var rest = value
        for index in (start..<start + digits).reversed() {
            let nibble = UInt8(truncatingIfNeeded: rest & 0x0F)
            bytes[index] = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
            rest >>= 4
        }
    }
}
