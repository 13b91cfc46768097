import RegularExpressions
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        ("", "", true), ("", "anything", true), ("^$", "", true), ("^$", "x", false),
        ("Disk", "NodeDiskFull", true), ("^Disk$", "NodeDiskFull", false), ("^NodeDiskFull$", "NodeDiskFull", true),
        ("^NodeDiskFull$", "NodeDiskFull\n", false), ("^a\\.b$", "a.b", true), ("^a\\.b$", "axb", false), ("^a.b$", "axb", true),
        ("(?i)disk", "DISK", true), ("disk", "DISK", false), ("^/var(/.*)?$", "/var/log", true), ("^/var(/.*)?$", "/variable", false),
        ("\\bweb\\b", "a web b", true), ("a|^b$", "xax", true), ("\\d+", "no digits", false), ("\\\\", "a\\b", true),
        ("(?m)^b$", "a\nb", true),
        ("^b$", "a\nb", false), ("\\x41", "A", true), ("\\Qa.b\\E", "a.b", true), ("\\Qa.b\\E", "axb", false), ("^a$b", "a$b", false),
    ])
    func matchesAsRE2Does(pattern: String, text: String, expected: Bool) throws {
        let pattern = try Pattern(compiling: pattern)
        #expect(pattern.matches(text) == expected)
        #expect(pattern.matches(Array(text.utf8)) == expected)
    }

    @Test func textThatIsNoUTF8() throws {
        let text: [UInt8] = [0x61, 0xFF, 0xC3, 0x62, 0x00]
        #expect(try Pattern(compiling: "a").matches(text))
        #expect(try Pattern(compiling: "b").matches(text))
        #expect(try !Pattern(compiling: "^a.*b").matches(text))
        #expect(try Pattern(compiling: "^a\\C*b").matches(text))
        #expect(try Pattern(compiling: "b\\x00$").matches(text))
    }

    /// `String` comparison would call these equal.
    @Test func canonicallyEquivalentTextsDiffer() throws {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        #expect(composed == decomposed)
        #expect(try Pattern(compiling: "^\(composed)$").matches(composed))
        #expect(try !Pattern(compiling: "^\(composed)$").matches(decomposed))
        #expect(try !Pattern(compiling: composed).matches(decomposed))
    }

    @Test(arguments: [
        ("(abc", "missing ): (abc"), ("a)", "unexpected ): a)"), ("[z-a]", "invalid character class range: z-a"),
        ("*a", "no argument for repetition operator: *"),
        ("a**", "bad repetition operator: **"), ("\\", "trailing \\"), ("(?=a)", "invalid perl operator: (?="),
        ("\\q", "invalid escape sequence: \\q"),
        ("a{1001}", "invalid repetition size: {1001}"), ("((a{1000}){1000}){10}", "invalid repetition size: {1000}"),
    ])
    func errorsAreRE2sOwn(pattern: String, message: String) {
        #expect(throws: PatternError(message: message)) { try Pattern(compiling: pattern) }
    }

    @Test func lengthIsLimited() throws {
        _ = try Pattern(compiling: String(repeating: "a", count: PatternLimits.patternBytesMax))
        #expect(throws: PatternError(message: "pattern is 4098 bytes long, at most 4096 are allowed")) {
            try Pattern(compiling: String(repeating: "ä", count: 2049))
        }
    }

    @Test func programThatOutgrowsItsMemoryIsRefused() {
        #expect(throws: PatternError.self) { try Pattern(compiling: "((((\\pL{100}){10}){10}))(\\pL{1000})") }
    }

    @Test func manyThreadsShareAPattern() async throws {
        let pattern = try Pattern(compiling: "^web-[0-9]+(\\.example)?$")
        await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask { (0..<2000).count { pattern.matches("web-\(worker * $0)") } }
            }
            for await matched in group { #expect(matched == 2000) }
        }
    }
}
