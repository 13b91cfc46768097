import RegularExpressions
import Testing

@Suite struct PatternFormTests {
    @Test(arguments: [
        ("", PatternForm.substring([])), ("abc", .substring(Array("abc".utf8))), ("^abc$", .exact(Array("abc".utf8))), ("^$", .exact([])),
        ("^a\\.b\\-c\\_d\\/e$", .exact(Array("a.b-c_d/e".utf8))), ("^tab\\tend$", .exact(Array("tab\tend".utf8))),
        ("^ä$", .exact(Array("ä".utf8))),
        ("^abc", .expression), ("abc$", .expression), ("^abc\\$", .expression), ("abc\\$", .substring(Array("abc$".utf8))),
        ("^a$b$", .expression),
        ("^^a$", .expression), ("a|b", .expression), ("^(abc)$", .expression), ("^[a]$", .expression), ("^a.c$", .expression),
        ("^ab?$", .expression),
        ("(?i)abc", .expression), ("\\d", .expression), ("^a\\z", .expression), ("\\Aabc$", .expression), ("\\x41", .expression),
        ("\\101", .expression),
        ("a{2}", .expression), ("a{,2}", .expression), ("\\Qabc\\E", .expression), ("\\bweb", .expression), ("\\pL", .expression),
        ("\\C", .expression), ("a]", .expression),
    ])
    func forms(pattern: String, form: PatternForm) throws {
        #expect(try Pattern(compiling: pattern).form == form)
    }

    /// The forms that go past RE2 answer as RE2 does, whatever the pattern and the text.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func literalsAnswerAsRE2(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var literals = 0
        for _ in 0..<500 {
            let source = random.pattern()
            guard let pattern = try? Pattern(compiling: source) else { continue }
            if pattern.form != .expression { literals += 1 }
            // A group around it keeps the meaning and keeps the analysis out.
            let reference = try Pattern(compiling: "(?:\(source))")
            #expect(reference.form == .expression)
            for _ in 0..<10 {
                let text = random.text(near: pattern)
                #expect(pattern.matches(text) == reference.matches(text), "seed \(seed): \(source) on \(text)")
            }
        }
        #expect(literals > 50)
    }
}
