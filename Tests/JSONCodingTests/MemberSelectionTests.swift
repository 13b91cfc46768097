import JSONCoding
import Testing

@Suite struct MemberSelectionTests {
    private static let text = #"""
        {"spec":{"node":"web-07","script":{"text":"x\ny","keys":[1,2]},"none":null},"steps":[{"op":"a","n":1},{"n":2},"odd",[{"op":"c","n":3}]],"note":"\u0000"}
        """#

    private static func values(_ paths: [String]...) throws -> [JSON?] {
        try values(MemberSelection(paths), Array(text.utf8))
    }

    private static func values(_ selection: MemberSelection, _ bytes: [UInt8]) throws -> [JSON?] {
        try selection.withValues(ofEncoded: bytes) { selected throws(JSON.ParseError) in
            var values: [JSON?] = []
            for path in selection.values(of: .null).indices { values.append(try selected.value(path)) }
            return values
        }
    }

    @Test func membersByTheirPaths() throws {
        #expect(try Self.values(["spec", "node"], ["note"]) == ["web-07", "\0"])
        #expect(try Self.values(["spec", "script"]) == [["text": "x\ny", "keys": [1, 2]]])
        #expect(try Self.values(["spec", "missing"], ["spec", "node", "deeper"], ["spec", "none"]) == [nil, nil, .null])
        #expect(try Self.values(["note"], ["note"]) == ["\0", "\0"])
        #expect(try Self.values() == [])
        #expect(try Self.values([]) == [JSON(parsing: Array(Self.text.utf8))])
    }

    @Test func pathsWithinOthers() throws {
        let script: JSON = ["text": "x\ny", "keys": [1, 2]]
        #expect(try Self.values(["spec", "script", "keys"], ["spec", "script"]) == [[1, 2], script])
        #expect(try Self.values(["spec", "script"], ["spec", "script", "keys"]) == [script, [1, 2]])
    }

    @Test func arraysAreNotEntered() throws {
        #expect(try Self.values(["steps", "op"], ["steps", "*", "op"], ["spec", "script", "keys", "0"]) == [nil, nil, nil])
    }

    /// Text goes over as it is.
    @Test func textOfValues() throws {
        let document = #"{"a":"xé😀\n\"\\\\/\u0000", "b" : [1,{"c":null}],"d":1.5,"e":true}"#
        let selection = MemberSelection([["a"], ["b"], ["d"], ["e"], ["f"]])
        let texts = try selection.withValues(ofEncoded: Array(document.utf8)) { values throws(JSON.ParseError) in
            (0..<5).map { path -> String? in
                var bytes = Array("<".utf8)
                return values.appendText(path, to: &bytes) ? String(decoding: bytes, as: UTF8.self) : nil
            }
        }
        #expect(texts == [#"<"xé😀\n\"\\\\/\u0000""#, #"<[1,{"c":null}]"#, "<1.5", "<true", nil])
    }

    @Test(arguments: [#""\ud800""#, #""x\udc00y""#, #""\ud83dx""#]) func halfASurrogatePair(text: String) throws {
        let document = Array(#"{"a":\#(text)}"#.utf8)
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: document) }
        #expect(throws: JSON.ParseError.self) { try Self.values(MemberSelection([["a"]]), document) }
    }

    /// Nothing is read beyond the end of a text that is none, and what can't be stepped over is a fault.
    @Test func faults() throws {
        for text in [#"{"a":1,"b":}"#, #"{"a":1} x"#, #"{"a":01}"#, #"{"a":1.}"#, "{1:2}", #"{"a" 1}"#, "", " ", "}", #"{"b":[1}"#] {
            #expect(throws: JSON.ParseError.self, "\(text)") { try Self.values(MemberSelection([["a"], ["spec"]]), Array(text.utf8)) }
        }
        let whole = Array(Self.text.utf8)
        for length in whole.indices {
            #expect(throws: JSON.ParseError.self, "\(length)") {
                try Self.values(MemberSelection([["spec", "script"], ["note"]]), Array(whole[..<length]))
            }
        }
    }

    /// Containers are stepped over 64 bytes at a time: brackets, quotes and backslashes in strings are text wherever they stand in these.
    @Test func containersLongerThanABlock() throws {
        for (index, tail) in ["", "\\", "\\\\", "\\\"", "\"}]", "{[\\", "\\\\\\\\\\"].enumerated() {
            for length in 0...140 {
                let text = JSON.string(String(repeating: "é", count: length / 3) + String(repeating: "x", count: length % 3) + tail)
                let inner: JSON = ["k": [text, ["{", [:], []]], "l": text, "m": [[[[text]]], [["n": [text]]]]]
                let document: JSON = ["a": inner, "b": [inner, text], "c": "end", "d": ["x": inner, "y": 1, "z": inner]]
                let paths = [["c"], ["a", "l"], ["d", "y"], ["a", "m"], ["b"], ["d"]]
                let expected = paths.map { Self.value($0[...], document) }
                #expect(try Self.values(MemberSelection(paths), document.encoded()) == expected, "tail \(index), \(length)")
                // Left after the first member, and with all of the rest to be stepped over.
                #expect(
                    try Self.values(MemberSelection([["d", "x", "k"]]), document.encoded()) == [inner["k"]], "tail \(index), \(length)")
            }
        }
    }

    /// A container that is cut off is no container, wherever it is cut.
    @Test func containersCutOff() throws {
        let inner: JSON = ["k": ["\\\"}", ["{", [:], []]], "text": .string(String(repeating: "y", count: 150))]
        let whole = (["a": 1, "b": inner, "c": [inner]] as JSON).encoded()
        for length in whole.indices {
            #expect(throws: JSON.ParseError.self, "\(length)") { try Self.values(MemberSelection([["a"]]), Array(whole[..<length])) }
            #expect(throws: JSON.ParseError.self, "\(length)") { try Self.values(MemberSelection([["c"]]), Array(whole[..<length])) }
        }
    }

    /// Whatever the document, the values are those that the whole of it has.
    @Test func areThoseOfTheWholeDocument() throws {
        for seed in 1...600 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let document = JSON.random(depthMax: 5, using: &generator)
            let paths = (0..<4).map { _ in Self.randomPath(in: document, using: &generator) }
            let expected = paths.map { Self.value($0[...], document) }
            #expect(try Self.values(MemberSelection(paths), document.encoded()) == expected, "seed \(seed), \(paths) of \(document)")
            #expect(MemberSelection(paths).values(of: document) == expected, "seed \(seed), \(paths) of \(document)")
        }
    }

    private static func randomPath(in document: JSON, using generator: inout SeededGenerator) -> [String] {
        guard case .object(let members) = document else { return [] }
        guard Int.random(in: 0..<6, using: &generator) > 0,
            let member = members.sorted(by: { $0.key < $1.key }).randomElement(using: &generator)
        else { return Bool.random(using: &generator) ? [] : ["missing"] }
        return [member.key] + randomPath(in: member.value, using: &generator)
    }

    /// The definition.
    private static func value(_ path: ArraySlice<String>, _ value: JSON) -> JSON? {
        guard let name = path.first else { return value }
        return value[name].flatMap { Self.value(path.dropFirst(), $0) }
    }
}
