import Model
import Testing

@testable import KubeDiagCommand

@Suite struct DeadLetterTextTests {
    private var letter: DeadLetter {
        let time = Timestamp(seconds: 1_800_000_000)
        return DeadLetter(
            id: "dl-a", source: "kafka", position: ["topic": "alerts", "partition": "0", "offset": "7"], reason: "Malformed",
            message: "the body is not JSON", firstTime: time.adding(seconds: -60), time: time, count: 2,
            headers: ["content-type": "text/plain"], bytes: 3)
    }

    @Test func aRowOfTheList() {
        #expect(
            DeadLetterText.row(letter, now: Timestamp(seconds: 1_800_000_090)) == [
                "dl-a", "90s", "kafka", "offset=7 partition=0 topic=alerts", "2", "Malformed", "the body is not JSON",
            ])
    }

    @Test func theWhole() {
        var letter = letter
        letter.body = "a\nb"
        #expect(
            DeadLetterText.lines(letter) == [
                "id         dl-a", "source     kafka", "position   offset=7 partition=0 topic=alerts",
                "reason     Malformed: the body is not JSON",
                "came       2027-01-15T08:00:00Z, 2 times since 2027-01-15T07:59:00Z", "header     content-type: text/plain",
                "body       3 bytes", "  a", "  b",
            ])
        (letter.body, letter.bodyBase64, letter.truncated) = (nil, "AA==", true)
        #expect(
            DeadLetterText.lines(letter).suffix(2) == [
                "body       3 bytes, of which only a part was kept: it can't be replayed",
                "  not text; its bytes: kubediag deadletters show --body dl-a",
            ])
    }
}
