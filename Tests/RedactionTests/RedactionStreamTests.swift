import Testing

@testable import Redaction

@Suite struct RedactionStreamTests {
    private let redactor: Redactor

    init() throws { redactor = try Redactor() }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Feeds a text in pieces of so many bytes.
    private func stream(_ bytes: [UInt8], pieces: Int, isCut: Bool = false) -> (text: String, counts: Redactor.Counts) {
        var stream = RedactionStream(redactor)
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            output += stream.append(bytes[start..<min(start + pieces, bytes.count)])
        }
        output += stream.finish(isCut: isCut)
        return (text(output), stream.counts)
    }

    @Test(arguments: [32 * 1024 - 30, 32 * 1024 - 12, 32 * 1024 - 1, 32 * 1024, 36 * 1024 - 5, 64 * 1024 - 10, 100_000])
    func bordersHideNothing(before: Int) {
        for filler in ["x", "x y\n"] {
            let front =
                String(repeating: filler, count: before / filler.utf8.count) + String(repeating: "z", count: before % filler.utf8.count)
            for pieces in [7, 4096, 32 * 1024, 300_000] {
                let (clean, counts) = stream(Array((front + " password=hunter2hunter2 tail").utf8), pieces: pieces)
                #expect(clean == front + " password=[redacted] tail", "\(before) \(pieces)")
                #expect(counts.total == 1)
            }
        }
    }

    /// A window that begins within a word, or within a line, is no beginning of either.
    @Test(arguments: ["A_", "Ab"]) func aBorderBeginsNoWord(word: String) {
        for before in [32 * 1024, 64 * 1024] {
            let front = String(repeating: "x", count: before - word.utf8.count) + word
            let (inner, behind) = (front + "cookie: yes, it is one", String(repeating: " y", count: 5000))
            for pieces in [7, 4096, 300_000] {
                #expect(stream(Array((inner + behind).utf8), pieces: pieces).text == inner + behind, "\(before) \(pieces)")
                let blank = front.dropLast() + " cookie: "
                #expect(stream(Array((blank + "a=b" + behind).utf8), pieces: pieces).text == blank + "[redacted]", "\(before) \(pieces)")
            }
        }
    }

    @Test func secretsOfAnyLengthGoWhole() {
        let long = String(repeating: "s", count: 100_000)
        #expect(stream(Array("a password=\(long)\nb".utf8), pieces: 5000).text == "a password=[redacted]\nb")
        #expect(stream(Array("a \"token\": \"\(long)\" b".utf8), pieces: 5000).text == "a \"token\": \"[redacted]\" b")
        let front = String(repeating: "line\n", count: 7000)
        let key = String(repeating: "MIIEabcd\n", count: 3000)
        let block = "-----BEGIN PRIVATE KEY-----\n\(key)-----END PRIVATE KEY-----"
        let (clean, counts) = stream(Array((front + block + "\nend").utf8), pieces: 5000)
        #expect(clean == front + "-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\nend")
        #expect(counts.total == 1)
    }

    @Test func aBlockWithoutEndTakesNotAllThatFollows() {
        let rest = String(repeating: "0123456789abcde\n", count: 20_000)
        let (clean, _) = stream(Array(("-----BEGIN PRIVATE KEY-----\n" + rest).utf8), pieces: 5000)
        #expect(clean.hasPrefix("-----BEGIN PRIVATE KEY-----[redacted]"))
        #expect(clean.utf8.count > rest.utf8.count - 110_000 && clean.utf8.count < rest.utf8.count - 60_000)
    }

    @Test(arguments: [100, 36_000, 40_000, 60_000]) func aBlockAtTheEndIsGoneToItsEnd(bytes: Int) {
        let key = String(String(repeating: "MIIEabcd\n", count: bytes / 9))
        for front in ["", String(repeating: "line\n", count: 3000)] {
            let (clean, counts) = stream(Array((front + "-----BEGIN PRIVATE KEY-----\n" + key).utf8), pieces: 10_000)
            #expect(clean == front + "-----BEGIN PRIVATE KEY-----[redacted]" && counts.total == 1)
        }
    }

    @Test func aSecretBehindALongOneIsFoundWhereverAPieceEnds() {
        let text = "a password=" + String(repeating: "s", count: 36_900) + "\" api_key=hunter2 x"
        for pieces in (text.utf8.count - 20)..<text.utf8.count {
            #expect(stream(Array(text.utf8), pieces: pieces).text == "a password=[redacted]\" api_key=[redacted] x", "\(pieces)")
        }
    }

    @Test func aLongValueEndsNotAtAQuoteWithinIt() {
        for length in 18_420..<18_440 {
            let value = String(repeating: #"\""#, count: length) + "hunter2"
            let clean = stream(Array(("{\"token\": \"" + value + "\", \"n\": 1}").utf8), pieces: 5000).text
            #expect(clean == "{\"token\": \"[redacted]\", \"n\": 1}", "\(length)")
        }
    }

    @Test func manySecretsWithoutALineEndAreGoneAtEveryBorder() {
        for front in 0..<18 {
            let text = String(repeating: "x", count: front) + String(repeating: ",{\"token\":\"hunter2\"}", count: 5000)
            let clean = stream(Array(text.utf8), pieces: 5000).text
            #expect(!clean.contains("hunter2"), "\(front)")
            #expect(stream(Array(clean.utf8), pieces: 5000).text == clean, "twice is once")
        }
    }

    /// What follows a bare value of JSON stays, however long the value is.
    @Test func eachProgramOfALineHasItsOwnPassword() {
        let clean = text(redactor.redacted(Array("mysql -pabc x; mysql -pdef x; redis-cli -a ghi y; redis-cli -a jkl".utf8)).bytes)
        #expect(clean == "mysql -p[redacted] x; mysql -p[redacted] x; redis-cli -a [redacted] y; redis-cli -a [redacted]")
    }

    @Test func whatStandsBetweenASecretAndItsNameIsSearchedAtEveryBorder() {
        for before in 32 * 1024 - 90...32 * 1024 {
            let front = String(repeating: "x", count: before)
            let clean = text(redactor.redacted(Array("\(front) mysql -u bob token=\"hunter2\" -psecret1 end\(front)".utf8)).bytes)
            #expect(clean == "\(front) mysql -u bob token=\"[redacted]\" -p[redacted] end\(front)", "\(before)")
        }
    }

    @Test func aLongBareValueOfJSONEndsAtItsComma() {
        for length in [36_820, 36_830, 36_840, 36_850, 36_860, 60_000] {
            let clean = stream(Array(("{\"token\":" + String(repeating: "7", count: length) + ",\"n\":[1]}").utf8), pieces: 5000).text
            #expect(clean == "{\"token\":\"[redacted]\",\"n\":[1]}", "\(length)")
        }
    }

    @Test(arguments: ["password=\"", "Authorization: "]) func aKeyWithinAnotherSecretGoesWhole(front: String) {
        let text = front + "-----BEGIN PRIVATE KEY-----\n" + String(repeating: "MIIEabcd\n", count: 6000) + "-----END PRIVATE KEY-----\nend"
        #expect(!stream(Array(text.utf8), pieces: 5000).text.contains("MIIE"))
    }

    @Test func whatStandsWhereABlockWithoutEndIsLeftIsNoHalfOfASecret() {
        for front in 0..<25 {
            let rest = String(repeating: "password=hunter2hunter2\n", count: 6000)
            let text = "-----BEGIN PRIVATE KEY-----\n" + String(repeating: "x", count: front) + "\n" + rest
            let clean = stream(Array(text.utf8), pieces: 5000).text
            #expect(!clean.contains("hunter2") && clean.hasSuffix("\npassword=[redacted]\n"), "\(front)")
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<20) func anyMixtureEnds(seed: UInt64) {
        let words = [
            "password=", "token:", "--secret ", "://a:", "@", "Bearer ", "eyJ", ".", "\"name\": \"", "value", "AKIA", "\n", " ", "'", "\"",
            "x",
            "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "cookie: ", "api_key", "<a_secret>", "</", "abcdefgh",
        ]
        var state = seed &* 2 + 1
        var text = ""
        while text.utf8.count < 120_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text += words[Int(state >> 33) % words.count]
        }
        let (clean, counts) = stream(Array(text.utf8), pieces: 1000 * Int(seed + 1))
        #expect(counts.total > 0 && clean.utf8.count < 2 * text.utf8.count, "seed \(seed)")
    }

    @Test func aCutLeavesNoHalfOfASecret() {
        #expect(stream(Array("key is AKIAIOSF".utf8), pieces: 100, isCut: true).text == "key is ")
        #expect(stream(Array("key is AKIAIOSF".utf8), pieces: 100).text == "key is AKIAIOSF")
    }

    @Test func otherBytesStayAsTheyAre() {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<200_000).map { _ in UInt8.random(in: 0x80...0xFF, using: &generator) }
        var stream = RedactionStream(redactor)
        let clean = stream.append(bytes[...]) + stream.finish()
        #expect(clean == bytes && stream.counts.total == 0)
        #expect(text(redactor.redacted(Array("password=a".utf8) + [0xFF, 0x62, 0x0A]).bytes) == "password=[redacted]\n")
    }

    @Test func timeIsLinearInHostileText() throws {
        let own = try Redactor(patterns: ["a.*b|a"])
        let hostile = [
            String(repeating: "password=", count: 15_000), String(repeating: "a", count: 80_000),
            String(repeating: "name:", count: 15_000),
            String(repeating: "-----BEGIN PRIVATE KEY-----", count: 5_000), String(repeating: "://a:", count: 15_000),
        ]
        for text in hostile {
            let start = ContinuousClock.now
            _ = own.redacted(Array(text.utf8))
            #expect(ContinuousClock.now - start < .seconds(5), "\(text.prefix(30))")
        }
    }
}
