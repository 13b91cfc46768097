import JSONCoding
import Testing

@Suite struct MemberSelectionTests {
    private static let text = #"""
        {"spec":{"node":"web-07","script":{"text":"x\ny","keys":[1,2]},"none":null},"steps":[{"op":"a","n":1},{"n":2},"odd",[{"op":"c","n":3}]],"note":"\u0000"}
        """#

    private static func values(_ paths: [String]...) throws -> [JSON?] {
        try MemberSelection(paths).values(parsing: Array(text.utf8))
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

    @Test func pathsIntoEachElement() throws {
        #expect(try Self.values(["steps", "*", "op"], ["steps", "*", "n"]) == [["a", .null, .null, .null], [1, 2, .null, .null]])
        #expect(try Self.values(["steps", "*", "*", "op"]) == [[.null, .null, .null, ["c"]]])
        #expect(try Self.values(["steps", "op"], ["spec", "*", "node"]) == [nil, nil], "arrays and objects are told apart")
        #expect(try Self.values(["spec", "script", "keys", "*"]) == [[1, 2]])
    }

    @Test func whatIsSteppedOverHasToBeJSON() throws {
        for text in [#"{"a":1,"b":}"#, #"{"a":1"#, #"{"a":1} x"#, "{\"a\":1,\"b\":\"\u{1}\"}"] {
            #expect(throws: JSON.ParseError.self, "\(text)") { try MemberSelection([["a"]]).values(parsing: Array(text.utf8)) }
        }
    }

    /// Whatever the document, the values are those that the whole of it has.
    @Test func areThoseOfTheWholeDocument() throws {
        for seed in 1...600 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let document = JSON.random(depthMax: 5, using: &generator)
            let paths = (0..<4).map { _ in Self.randomPath(in: document, using: &generator) }
            let expected = paths.map { Self.value($0[...], document) }
            #expect(try MemberSelection(paths).values(parsing: document.encoded()) == expected, "seed \(seed), \(paths) of \(document)")
            #expect(MemberSelection(paths).values(of: document) == expected, "seed \(seed), \(paths) of \(document)")
        }
    }

    private static func randomPath(in document: JSON, using generator: inout SeededGenerator) -> [String] {
        switch document {
        case .object(let members):
            guard Int.random(in: 0..<6, using: &generator) > 0,
                let member = members.filter({ $0.key != "*" }).sorted(by: { $0.key < $1.key }).randomElement(using: &generator)
            else { return Bool.random(using: &generator) ? [] : ["missing"] }
            return [member.key] + randomPath(in: member.value, using: &generator)
        case .array(let elements):
            guard Bool.random(using: &generator) else { return [] }
            return ["*"] + (elements.randomElement(using: &generator).map { randomPath(in: $0, using: &generator) } ?? [])
        default: return []
        }
    }

    /// The definition.
    private static func value(_ path: ArraySlice<String>, _ value: JSON) -> JSON? {
        guard let part = path.first else { return value }
        if part == "*" { return value.arrayValue.map { .array($0.map { Self.value(path.dropFirst(), $0) ?? .null }) } }
        return value[part].flatMap { Self.value(path.dropFirst(), $0) }
    }
}
