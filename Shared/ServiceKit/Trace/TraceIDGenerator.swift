import Synchronization

/// Ids for traces and spans: unique, spread evenly, and cheap enough for every request; not for secrets.
///
/// A counter that starts at a random place, passed through the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), which is a bijection: no
/// id comes twice within a process, and two processes meet only as two random 64-bit streams would.
struct TraceIDGenerator: RandomNumberGenerator {
    private static let counter = Atomic<UInt64>(SystemRandomNumberGenerator.first)

    func next() -> UInt64 {
        let step: UInt64 = 0x9E37_79B9_7F4A_7C15
        var value = Self.counter.wrappingAdd(step, ordering: .relaxed).newValue
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension SystemRandomNumberGenerator {
    fileprivate static var first: UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
