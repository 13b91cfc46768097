import Model
import Testing
import TriggerRouterCore

@Suite struct DeadLetterTests {
    private static let start = Timestamp(seconds: 1_795_374_118)

    private func entry(_ id: String, at seconds: Double, bytes: Int = 10, source: String = "kafka") -> DeadLetterIndex.Entry {
        DeadLetterIndex.Entry(
            id: id, source: source, reason: "Malformed", time: Self.start.adding(seconds: seconds), bytes: bytes)
    }

    // MARK: Messages

    @Test func aMessageIsTheSameLetterAgain() {
        let message = UnusableMessage(
            source: "kafka", position: ["topic": "t", "offset": "7"], reason: .malformed, message: "m", body: [1])
        var other = message
        other.message = "another"
        #expect(other.id == message.id)
        other.position["offset"] = "8"
        #expect(other.id != message.id)
        var moved = message
        moved.body = [2]
        #expect(moved.id != message.id)
    }

    @Test func secretsAreNotKept() {
        let message = UnusableMessage(
            source: "cloudevents", reason: .malformed, message: "m",
            headers: [
                ("Authorization", "Bearer x"), ("Cookie", "c"), ("X-Api-Key", "k"), ("ce-authtoken", "t"), ("Ce-Id", "1"),
                ("Content-Type", "text/plain"),
            ], body: [])
        #expect(message.letter(at: Self.start).letter.headers == ["ce-id": "1", "content-type": "text/plain"])
    }

    @Test(arguments: [(UnusableMessage.bodyBytesMax, false), (UnusableMessage.bodyBytesMax + 1, true)])
    func aLargeBodyIsCut(bytes: Int, isCut: Bool) {
        let message = UnusableMessage(source: "kafka", reason: .malformed, message: "m", body: Array(repeating: 65, count: bytes))
        let (letter, body) = message.letter(at: Self.start)
        #expect(letter.truncated == isCut)
        #expect(letter.bytes == bytes)
        #expect(body.count == min(bytes, UnusableMessage.bodyBytesMax))
    }

    @Test func aHeaderThatIsCutMakesTheLetterAPart() {
        let long = String(repeating: "é", count: UnusableMessage.headerBytesMax)
        let message = UnusableMessage(source: "s", reason: .malformed, message: "m", headers: [("ce-subject", long)], body: [])
        let letter = message.letter(at: Self.start).letter
        #expect(letter.truncated)
        #expect(letter.headers["ce-subject"]?.utf8.count == UnusableMessage.headerBytesMax)
    }

    // MARK: The index

    @Test func theOldestGoBeyondEachLimit() {
        var index = DeadLetterIndex(limits: .init(lettersMax: 3, bytesMax: 35, ageSecondsMax: 100))
        for number in 0..<3 { #expect(index.insert(entry("l\(number)", at: Double(number)), at: Self.start).isEmpty) }
        let now = Self.start.adding(seconds: 3)
        #expect(index.insert(entry("l3", at: 3), at: now).map { "\($0.entry.id) \($0.loss)" } == ["l0 number"])
        #expect(
            index.insert(entry("large", at: 4, bytes: 30), at: now).map { "\($0.entry.id) \($0.loss)" } == [
                "l1 number", "l2 bytes", "l3 bytes",
            ])
        #expect(index.bytes == 30)
        #expect(index.shrink(at: Self.start.adding(seconds: 104)).isEmpty)
        #expect(index.shrink(at: Self.start.adding(seconds: 105)).map(\.loss) == [.age])
        #expect(index.count == 0 && index.bytes == 0)
    }

    @Test func pagesShowEachLetterOnceNewestFirst() throws {
        var index = DeadLetterIndex(limits: .init(lettersMax: 100, bytesMax: 10_000, ageSecondsMax: 1000))
        // Two in the same instant, and one of another source.
        for number in 0..<10 {
            _ = index.insert(entry("l\(number)", at: Double(number / 2), source: number == 4 ? "other" : "kafka"), at: Self.start)
        }
        var seen: [String] = []
        var after: String?
        repeat {
            let page = try #require(index.page(after: after, limit: 4) { $0.source == "kafka" })
            seen += page.ids
            after = page.continuation
            // What comes or goes meanwhile disturbs nothing.
            index.remove(seen[0])
            _ = index.insert(entry("new\(seen.count)", at: 50), at: Self.start)
        } while after != nil
        #expect(seen == ["l9", "l8", "l7", "l6", "l5", "l3", "l2", "l1", "l0"])
        #expect(index.page(after: "forged", limit: 1) { _ in true } == nil)
    }

    /// Against a plain list that does the same the slow way.
    @Test(arguments: 0..<20) func theIndexIsWhatAListWouldBe(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let limits = DeadLetterIndex.Limits(lettersMax: 8, bytesMax: 120, ageSecondsMax: 40)
        var index = DeadLetterIndex(limits: limits)
        var plain: [DeadLetterIndex.Entry] = []
        var seconds = 0.0
        for _ in 0..<300 {
            seconds += Double(Int.random(in: 0...8, using: &random))
            let now = Self.start.adding(seconds: seconds)
            let id = "l\(Int.random(in: 0..<20, using: &random))"
            if Int.random(in: 0..<5, using: &random) == 0 {
                index.remove(id)
                plain.removeAll { $0.id == id }
                continue
            }
            let new = entry(id, at: seconds, bytes: Int.random(in: 1...50, using: &random))
            _ = index.insert(new, at: now)
            plain.removeAll { $0.id == id }
            plain.append(new)
            plain.sort { ($0.time, $0.id) < ($1.time, $1.id) }
            plain.removeAll { now.seconds(since: $0.time) > limits.ageSecondsMax }
            while plain.count > limits.lettersMax || (plain.reduce(0) { $0 + $1.bytes } > limits.bytesMax && plain.count > 1) {
                plain.removeFirst()
            }
            #expect(index.page(after: nil, limit: 100) { _ in true }?.ids == plain.reversed().map(\.id), "seed \(seed)")
            #expect(index.bytes == plain.reduce(0) { $0 + $1.bytes })
        }
    }
}
