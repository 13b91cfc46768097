import JSONCoding
import Model

/// Dead letters as lines of text.
enum DeadLetterText {
    static func path(_ id: String) -> String { "/api/v1/deadletters/\(PathSegment.encode(id))" }

    static func decode<Value: Decodable>(_ type: Value.Type, _ json: JSON) throws -> Value {
        do throws(JSON.DecodeError) {
            return try json.decode(type)
        } catch {
            throw CommandFailure("the server's answer can't be read: \(error)")
        }
    }

    static func row(_ letter: DeadLetter, now: Timestamp) -> [String] {
        [
            letter.id, DurationText.age(seconds: now.seconds(since: letter.time)), letter.source, position(letter),
            String(letter.count), letter.reason, letter.message,
        ]
    }

    /// `offset=7 partition=0 topic=alerts`.
    static func position(_ letter: DeadLetter) -> String {
        let parts = letter.position.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return parts.isEmpty ? "-" : parts.joined(separator: " ")
    }

    static func lines(_ letter: DeadLetter) -> [String] {
        var lines = [
            "id         \(letter.id)", "source     \(letter.source)", "position   \(position(letter))",
            "reason     \(letter.reason): \(letter.message)", "came       \(letter.time)\(times(letter))",
        ]
        for (name, value) in letter.headers.sorted(by: { $0.key < $1.key }) { lines.append("header     \(name): \(value)") }
        let cut = letter.truncated ? ", of which only a part was kept: it can't be replayed" : ""
        lines.append("body       \(letter.bytes) bytes\(cut)")
        if let body = letter.body {
            lines += body.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
        } else if letter.bodyBase64 != nil {
            lines.append("  not text; its bytes: kubediag deadletters show --body \(letter.id)")
        }
        return lines
    }

    private static func times(_ letter: DeadLetter) -> String {
        letter.count > 1 ? ", \(letter.count) times since \(letter.firstTime)" : ""
    }
}
