import RegularExpressions
import Testing

@Suite struct SearchPatternTests {
    private func find(_ pattern: String, _ text: [UInt8], from start: Int = 0) throws -> SearchPattern.Match? {
        let pattern = try SearchPattern(compiling: pattern)
        return text.withUnsafeBufferPointer { pattern.firstMatch(in: $0, from: start) }
    }

    @Test func matchesAndGroupsAreTold() throws {
        let match = try #require(try find("a(b)?(c+)", Array("xxaccab".utf8)))
        #expect(match.range == 2..<5 && match.groups == [nil, 3..<5])
        #expect(try find("a", Array("aba".utf8), from: 1)?.range == 2..<3)
        #expect(try find("a", Array("aba".utf8), from: 3) == nil && find("a", Array("aba".utf8), from: 9) == nil)
        #expect(try find(#"\bb"#, Array("ab".utf8), from: 1) == nil, "what is before counts")
        #expect(try find("^a", Array("aa".utf8), from: 1) == nil)
        #expect(try find("x*", [])?.range == 0..<0)
    }

    @Test func bytesNeedNotBeText() throws {
        #expect(try find("[^ ]+", [0x20, 0xFF, 0x41, 0x00, 0x20])?.range == 1..<4)
        #expect(try find("é", Array("caf é".utf8))?.range == 4..<6)
    }

    @Test func anyIsFoundWhereOneIs() throws {
        let any = try #require(SearchPattern.any(of: [try SearchPattern(compiling: "a|b"), try SearchPattern(compiling: "^(c)d")]))
        #expect(any.matches("xb") && any.matches("cd") && !any.matches("xcd") && !any.matches(""))
    }

    @Test func whatIsRefused() {
        for source in ["(", String(repeating: "a", count: 4097), String(repeating: "(a)", count: 17)] {
            #expect(throws: PatternError.self) { try SearchPattern(compiling: source) }
        }
    }
}
