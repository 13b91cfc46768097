internal import CNettle
import Glibc

extension Digest {
    /// `count` bytes from the kernel's generator (getrandom(2)), fit for secrets.
    public static func randomBytes(count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count, let base = buffer.baseAddress {
                let got = getrandom(base + filled, count - filled, 0)
                if got > 0 {
                    filled += got
                } else {
                    // With flags 0 only a signal interrupts it; anything else would mean a kernel older than 3.17.
                    precondition(errno == EINTR, "getrandom failed with errno \(errno)")
                }
            }
        }
    }

    /// A secret of `byteCount` random bytes (16 or more for a token), in base16.
    public static func randomToken(byteCount: Int = 32) -> String {
        hex(randomBytes(count: byteCount))
    }
}
