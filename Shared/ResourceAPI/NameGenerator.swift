/// Names that the server makes.
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
}
