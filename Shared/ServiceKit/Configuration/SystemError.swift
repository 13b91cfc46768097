#if canImport(Glibc)
    import Glibc
#endif

/// The system's own words for an `errno`.
package enum SystemError {
    package static func message(_ code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, strerror_r(code, base, buffer.count) == 0 else { return "error \(code)" }
            return String(cString: base)
        }
    }
}
