import Digests
import Model

/// Names and uids that the server makes.
enum NameGenerator {
    /// Kubernetes' alphabet for generated names: no vowels and nothing that reads like another character, so that no name is a word.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    private static let suffixLength = 5
    private static let prefixCharactersMax = 58

    /// `prefix`, cut to 58 characters, and five random characters.
    static func name(prefix: String) -> String {
        // The generator of the system is the kernel's; choosing with it is free of the bias that a remainder would have.
        let suffix = (0..<suffixLength).compactMap { _ in alphabet.randomElement() }
        return String(prefix.prefix(prefixCharactersMax)) + String(suffix)
    }

    /// A random UUID (RFC 9562, version 4) in lower case.
    static func uid() -> UID {
        var bytes = Digest.randomBytes(count: 16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = Array(bytes.hex)
        let groups = [hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]]
        return UID(groups.map { String($0) }.joined(separator: "-"))
    }
}
