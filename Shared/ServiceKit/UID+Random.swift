import Digests
import Model

extension UID {
    /// A random UUID (RFC 9562, version 4) in lower case.
    public static func random() -> UID {
        var bytes = Digest.randomBytes(count: 16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = Digest.hex(bytes)
        for offset in [8, 13, 18, 23] { text.insert("-", at: text.index(text.startIndex, offsetBy: offset)) }
        return UID(text)
    }
}
