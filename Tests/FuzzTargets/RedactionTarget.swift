import JSONCoding
import Redaction
import RegularExpressions

extension FuzzTarget {
    /// A text and, in further parts, a piece that is repeated behind it until it is as long as a number says, what follows, and that number.
    /// Redacted in pieces it is what it is in one, redacting it again changes nothing, and what is planted in it as a secret is gone.
    static let redaction = FuzzTarget(
        "redaction", bytesMax: 1024,
        words: [
            Sections.separator, "password=", "token: ", "\"secret\":\"", "\\\"", "--password ", "-u a:", "Authorization: ", "Bearer ",
            "cookie: ", "://a:", "@", "AKIA", "eyJ", "name: A_TOKEN\n", "value: ", "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----", "<token>", "</", "[redacted]", "employee-", "\"password\":7,", "{\"name\":\"A_TOKEN\",\"value\":",
            "\"value\":\"x\",\"name\":\"A_TOKEN\"", "\0", "\u{1B}[0m", "kind: Secret\n", "data:\n", ": |\n", "LS0tLS1CRUdJTi", "mysql -p",
            "curl ",
        ]
    ) { input in
        let redactor: Redactor
        switch customRedactor {
        case .success(let own): redactor = own
        case .failure(let error): throw error
        }
        let text = grown(Sections(input))
        let whole = redactor.redacted(text)
        // A bare value of JSON gets quotes, which may be escaped three times.
        let marks = whole.counts.total * (Redactor.mark.utf8.count + 8)
        try expect(whole.bytes.count <= text.count + marks, "\(text.count) bytes became \(whole.bytes.count)")
        for size in [1, 7, 1000, 32 * 1024, 40_000] where size >= text.count / 4096 {
            let pieces = inPieces(redactor, text, size)
            try expect(pieces.bytes == whole.bytes, "in pieces of \(size) it is another text")
            if !pieces.isCoarse { try checkAgain(redactor, whole.bytes) }
        }
        try checkPlanted(redactor, text)
        try checkJSON(redactor, input)
        _ = redactor.redacted(document: input)
    }

    private static let customRedactor = Result { () throws(PatternError) in try Redactor(patterns: [#"employee-(\d+)"#]) }

    /// Longer than two windows, so that every border there is can be met.
    private static let grownBytesMax = 100_000

    private static func grown(_ parts: Sections) -> [UInt8] {
        var text = parts[0]
        let wanted = min(grownBytesMax, parts.text(3).flatMap { Int($0.prefix(6)) } ?? 0)
        let piece = parts[1]
        while !piece.isEmpty, text.count < wanted { text += piece.prefix(wanted - text.count) }
        return text + parts[2]
    }

    private static func inPieces(_ redactor: Redactor, _ text: [UInt8], _ size: Int) -> (bytes: [UInt8], isCoarse: Bool) {
        var stream = RedactionStream(redactor)
        var output: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: size) { output += stream.append(text[start..<min(start + size, text.count)]) }
        output += stream.finish()
        return (output, stream.isCoarse)
    }

    private static func checkAgain(_ redactor: Redactor, _ clean: [UInt8]) throws {
        let again = redactor.redacted(clean)
        guard again.bytes != clean else { return }
        let at = zip(clean, again.bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? min(clean.count, again.bytes.count)
        throw FuzzFinding(
            description: "redacted again it is another text at \(at) of \(clean.count): "
                + String(decoding: clean.dropFirst(max(0, at - 60)).prefix(120), as: UTF8.self) + " became "
                + String(decoding: again.bytes.dropFirst(max(0, at - 60)).prefix(120), as: UTF8.self))
    }

    /// Lines, each with a secret of a kind of its own, that stand behind the text: none survives, whatever came before.
    private static func checkPlanted(_ redactor: Redactor, _ text: [UInt8]) throws {
        let secrets = (1...9).map { "Sq7Zk0Wv\($0)" }
        let lines = """

            password=\(secrets[0]) x
            {"client_secret":"\(secrets[1])","x":1}
            run --token \(secrets[2]) x
            Authorization: Bearer \(secrets[3])
            https://bob:\(secrets[4])@host/
            Cookie: sid=\(secrets[5]); x
            -----BEGIN PRIVATE KEY-----
            \(secrets[6])
            -----END PRIVATE KEY-----
            {"name":"A_TOKEN","value":"\(secrets[7])"}
            {"value":"\(secrets[8])","name":"A_TOKEN"}

            """
        let clean = String(decoding: redactor.redacted(text + Array(lines.utf8)).bytes, as: UTF8.self).utf8
        for secret in secrets where !String(decoding: text, as: UTF8.self).contains(secret) {
            let rest = Array(clean.suffix(lines.utf8.count + 256))
            try expect(!contains(rest, Array(secret.utf8)), "\(secret) survives: \(String(decoding: rest.suffix(400), as: UTF8.self))")
        }
    }

    private static func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        text.indices.contains { text[$0...].starts(with: word) }
    }

    /// A document stays one, with the members that it has, and has no secret left.
    private static func checkJSON(_ redactor: Redactor, _ input: [UInt8]) throws {
        let value: JSON
        do { value = try JSON(parsing: input) } catch { return }
        let (clean, _) = redactor.redacted(value)
        try expect(redactor.redacted(clean).value == clean, "redacted again the value is another one: \(clean)")
        let planted = JSON.object(["outer": value, "token": value])
        try expect(redactor.redacted(planted).value["outer"] == clean, "within another value it is redacted otherwise")
        try expect(isHidden(redactor.redacted(planted).value["token"]), "a token survives: \(planted)")
    }

    private static func isHidden(_ value: JSON?) -> Bool {
        switch value {
        case .array(let items): items.allSatisfy { isHidden($0) }
        case .object(let members): members.values.allSatisfy { isHidden($0) }
        case .string(let text): text == Redactor.mark || text.utf8.count <= 16 || text.utf8.allSatisfy { $0 == UInt8(ascii: "*") }
        case .null, .bool, nil: true
        default: false
        }
    }
}
