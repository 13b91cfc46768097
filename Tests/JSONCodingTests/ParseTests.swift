import JSONCoding
import Testing

@Suite struct ParseTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test func scalarsAndContainers() throws {
        let json = try parse(#"{"a":[1,-2,3.5,true,false,null,"x\u00e9\n"],"b":{},"c":[]}"#)
        #expect(json["a"] == [1, -2, 3.5, true, false, .null, "xé\n"])
        #expect(json["b"] == .object([:]))
        #expect(json["c"] == .array([]))
        #expect(try JSON(parsing: json.encoded()) == json)
    }

    @Test(arguments: [
        ("0", JSON.integer(0)), ("-0", .integer(0)), ("-0.0", .number(-0.0)), ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(0x1p63)),
        ("18446744073709551615", .number(0x1p64)), ("1e3", .number(1000)), ("1.0", .number(1)),
        ("5e-324", .number(.leastNonzeroMagnitude)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)), ("1e-400", .number(0)),
        (#""""#, .string("")), (#""\u0000""#, .string("\0")), (#""\ud83d\ude00""#, .string("😀")), (#""\/\b\f""#, .string("/\u{8}\u{c}")),
        (" \t\r\n null \n", .null),
    ])
    func documents(text: String, expected: JSON) throws {
        #expect(try parse(text) == expected)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":}", "[1 2]", "nul", "True",
        "01", "+1",
        "1.", ".5", "1e", "-", "--1", "0x10", "NaN", "Infinity", "1e400", "-1e400", "123456789012345678901234567890", "\"abc", "\"a\nb\"",
        "\"\u{1}\"", #""\x41""#, #""\u12""#, #""\u12g4""#, "1 2", "{} {}", "[]]", "null,", "// x\n1", "[1]//", "\u{FEFF}{}", "\0", "1\0",
        #"{"a":1"b":2}"#, #"{1:2}"#, #"[tru]"#, #"{"a":tru}"#,
    ])
    func malformed(text: String) {
        let error = #expect(throws: JSON.ParseError.self) { try parse(text) }
        #expect(error?.reason == .malformed, "\(text.debugDescription): \(String(describing: error))")
    }

    /// Whoever wrote a document by hand finds the place.
    @Test(arguments: [
        ("{\"a\":1 \"b\":2}", 7, "expected ',' or '}'"), ("[1,2", 4, "the document ends where ',' or ']' is expected"),
        ("[1,]", 3, "expected a value"),
        ("{\"a\":1,}", 7, "expected a key in quotes"), ("{a:1}", 1, "expected a key in quotes"), ("{\"a\" 1}", 5, "expected ':'"),
        ("{\"a\":}", 5, "expected a value"), ("[tru]", 1, "expected a value"), ("[1] x", 4, "unexpected content after the document"),
        ("[01]", 1, "malformed number"), ("[1.]", 1, "malformed number"), ("[1e+]", 1, "malformed number"),
        ("[\"abc]", 1, "a string is not closed"),
        ("[\"a\\x\"]", 3, "unknown escape in a string"), ("[\"\\u12g4\"]", 2, "an escape in a string needs four hexadecimal digits"),
        ("[\"a\tb\"]", 3, "a string has a control character that is not escaped"),
        ("{\n  \"a\": 1,\n  \"b\" 2\n}", 18, "expected ':' in line 3, column 7"), (" ]", 1, "expected a value"),
        ("[}", 1, "expected a value"),
        ("[[],{}}", 6, "expected ',' or ']'"),
    ])
    func faultsHaveAPlace(text: String, offset: Int, message: String) {
        let error = #expect(throws: JSON.ParseError.self) { try parse(text) }
        #expect(error?.byteOffset == offset)
        #expect(error?.message == "document is not JSON: \(message)")
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func invalidUTF8(sequence: [UInt8]) {
        for document in [[0x22] + sequence + [0x22], Array(#"{"k":""#.utf8) + sequence + Array(#""}"#.utf8)] {
            let error = #expect(throws: JSON.ParseError.self) { try JSON(parsing: document) }
            #expect(error?.reason == .invalidUTF8, "\(sequence)")
        }
    }

    @Test(arguments: [#""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\udc00\ud800""#, #""x\ud83d""#, #"{"\ude00":1}"#])
    func loneSurrogates(text: String) {
        #expect(throws: JSON.ParseError.self) { try parse(text) }
    }

    @Test func duplicateKeysNameTheKey() {
        for text in [#"{"a":1,"b":2,"a":3}"#, #"[{"x":{"a":null,"a":null}}]"#, #"{"a":1,"\u0061":2}"#] {
            let error = #expect(throws: JSON.ParseError.self) { try parse(text) }
            #expect(error?.reason == .duplicateKey("a"))
            #expect(error?.message.contains("\"a\"") == true)
        }
        #expect(throws: Never.self) { try parse(#"[{"a":1},{"a":1}]"#) }
    }

    @Test func depthIsLimited() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSON(parsing: nested(64)) }
        for depth in [65, 500, 1023, 1024, 1025, 100_000] {
            let error = #expect(throws: JSON.ParseError.self) { try JSON(parsing: nested(depth)) }
            #expect(error?.reason == .tooDeep(depthMax: 64), "\(depth)")
        }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: Array(String(repeating: "[", count: 1_000_000).utf8)) }
        let deep = try JSON(parsing: nested(512), limits: .init(depthMax: 10_000))
        #expect(deep.encoded() == nested(512))
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: nested(513), limits: .init(depthMax: 10_000)) }
        let objects = String(repeating: #"{"a":"#, count: 65) + "1" + String(repeating: "}", count: 65)
        #expect(throws: JSON.ParseError.self) { try parse(objects) }
    }

    @Test func sizeIsLimited() {
        let limits = JSON.Limits(bytesMax: 8)
        #expect(throws: Never.self) { try JSON(parsing: Array("[1,2,3] ".utf8), limits: limits) }
        let error = #expect(throws: JSON.ParseError.self) { try JSON(parsing: Array("[1,2,34] ".utf8), limits: limits) }
        #expect(error?.reason == .tooLarge(bytesMax: 8))
    }

    /// More elements than the tape's 24-bit count can say, and strings past every internal buffer size.
    @Test func largeDocuments() throws {
        let count = 1 << 17
        let many = try JSON(parsing: Array(("[" + Array(repeating: "7", count: count).joined(separator: ",") + "]").utf8))
        #expect(many.arrayValue?.count == count)
        let text = String(repeating: "é\n\"", count: 300_000)
        #expect(try JSON(parsing: JSON.string(text).encoded()) == .string(text))
    }

    @Test func aFaultLeavesTheParserUsable() throws {
        for _ in 0..<50 {
            #expect(throws: JSON.ParseError.self) { try parse("{\"a\":[1,2") }
            #expect(throws: JSON.ParseError.self) { try parse("") }
            #expect(try parse("{\"a\":[1,2]}")["a"] == [1, 2])
        }
    }

    @Test func tasksParseAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for round in 0..<200 {
                        let json: JSON = ["task": .integer(Int64(task)), "round": .integer(Int64(round)), "text": "some text"]
                        let parsed = try JSON(parsing: json.encoded())
                        #expect(parsed == json)
                        await Task.yield()
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
