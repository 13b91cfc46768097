internal import CRE2

/// Comparison of bytes. Swift's own `String` comparison treats canonically equivalent texts as equal; RE2 does not.
enum ByteSearch {
    static func equal(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        guard let first = a.baseAddress, let second = b.baseAddress else { return true }
        return cre2_bytes_equal(first, second, a.count)
    }

    static func contains(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let needle = part.baseAddress, part.count > 0 else { return true }
        guard let haystack = text.baseAddress, text.count >= part.count else { return false }
        return cre2_bytes_contain(haystack, text.count, needle, part.count)
    }
}
