import Testing

@testable import RegularExpressions

@Suite struct PatternSetTests {
    @Test func anEmptySetMatchesNothing() {
        #expect(PatternSet([]).matches(in: "x") == [])
    }

    @Test func indicesAreThePatternsOwn() throws {
        let set = PatternSet(try ["^a$", "b", "", "(?i)A", "c$"].map { try Pattern(compiling: $0) })
        #expect(set.matches(in: "a") == [0, 2, 3])
        #expect(set.matches(in: "abc") == [1, 2, 3, 4])
        #expect(set.matches(in: "") == [2])
        #expect(set.matches(in: [0xFF, 0x62] as [UInt8]) == [1, 2])
    }

    /// With little memory the set splits, with plenty it does not. The answers stay.
    @Test(arguments: 0..<30 as Range<UInt64>, [Int64(12 << 10), 64 << 10, 64 << 20])
    func answersAsEachPatternAlone(seed: UInt64, memoryBytesMax: Int64) throws {
        var random = SplitMix(seed: seed)
        let patterns = (0..<60).compactMap { _ in try? Pattern(compiling: random.pattern()) }
        let set = PatternSet(patterns, memoryBytesMax: memoryBytesMax)
        for _ in 0..<60 {
            guard let near = patterns.randomElement(using: &random) else { continue }
            let text = random.text(near: near)
            let alone = patterns.indices.filter { patterns[$0].matches(text) }
            #expect(set.matches(in: text) == alone, "seed \(seed): \(text)")
        }
    }

    @Test func splitsWhenItDoesNotFit() throws {
        let patterns = try (0..<200).map { try Pattern(compiling: "name-\($0)-(alpha|beta).*gamma$") }
        let roomy = PatternSet(patterns, memoryBytesMax: 64 << 20)
        let tight = PatternSet(patterns, memoryBytesMax: 48 << 10)
        #expect(roomy.automatonCount == 1)
        #expect(tight.automatonCount > 1)
        for number in stride(from: 0, to: 200, by: 7) {
            #expect(tight.matches(in: "name-\(number)-beta gamma") == [number])
        }
        #expect(tight.matches(in: "other") == [])
    }

    @Test func tenThousandPatterns() throws {
        let patterns = try (0..<10_000).map { try Pattern(compiling: "^service-\($0)(-canary)?$") }
        let set = PatternSet(patterns)
        #expect(set.automatonCount == 1)
        #expect(set.matches(in: "service-4711-canary") == [4711])
    }

    @Test func manyThreadsShareASet() async throws {
        let patterns = try (0..<100).map { try Pattern(compiling: "name-\($0).*(alpha|beta)$") }
        let set = PatternSet(patterns, memoryBytesMax: 64 << 10)
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<8 {
                group.addTask { (0..<500).allSatisfy { set.matches(in: "x name-\(($0 + worker) % 10)- beta") == [($0 + worker) % 10] } }
            }
            for await right in group { #expect(right) }
        }
    }
}
