import JSONCoding
import Testing

@Suite struct DocumentReaderTests {
    private struct Refusal: Error, Equatable {}

    /// Builds a `JSON` by the reader alone.
    private static func build(_ reader: inout DocumentReader) -> JSON {
        switch reader.kind {
        case .string: return .string(reader.string() ?? "?")
        case .array:
            var elements: [JSON] = []
            _ = reader.array { elements.append(build(&$0)) }
            return .array(elements)
        case .object:
            var members: [String: JSON] = [:]
            _ = reader.object { members[$0] = build(&$1) }
            return .object(members)
        case .number: return reader.integer().map(JSON.integer) ?? .string("number")
        case .boolean, .null:
            let kind = reader.kind
            reader.skip()
            return .string(kind.description)
        }
    }

    @Test func readsWhatIsThere() throws {
        let text = #"{"a":[1,-2,[],{}],"b":{"c":"ü\n","d":null},"e":true,"f":2.5,"g":18446744073709551615,"h":[[[1]]]}"#
        let expected: JSON = [
            "a": [1, -2, [], [:]], "b": ["c": "ü\n", "d": "null"], "e": "a boolean", "f": "number", "g": "number", "h": [[[1]]],
        ]
        #expect(try JSON.reading(Array(text.utf8)) { Self.build(&$0) }.get() == expected)
    }

    @Test func stepsPastEverything() throws {
        let text = #"[{"x":[1,{"y":2}]},"s",3,4.5,18446744073709551615,null,false,[],{},["end"]]"#
        let rest = try JSON.reading(Array(text.utf8)) { reader in
            var rest: [JSON] = []
            var skipped = 0
            _ = reader.array { element in
                if skipped < 9 { element.skip() } else { rest.append(Self.build(&element)) }
                skipped += 1
            }
            return rest
        }.get()
        #expect(rest == [["end"]])
    }

    @Test func whatIsOfAnotherKindIsSteppedPast() throws {
        let text = #"[{"a":1},"text",[2],7]"#
        let found = try JSON.reading(Array(text.utf8)) { reader in
            var found: [String] = []
            _ = reader.array { element in
                switch found.count {
                case 0: found.append("\(element.string() ?? "no string")")
                case 1: found.append("\(element.object { $1.skip() })")
                case 2: found.append("\(element.integer() ?? -1)")
                default: found.append("\(element.integer() ?? -1)")
                }
            }
            return found
        }.get()
        #expect(found == ["no string", "false", "-1", "7"])
    }

    @Test func aCopyReadsAhead() throws {
        let both = try JSON.reading(Array("[1,2]".utf8)) { reader in
            var ahead = reader
            return (Self.build(&ahead), Self.build(&reader))
        }.get()
        #expect(both.0 == [1, 2])
        #expect(both.1 == [1, 2])
    }

    @Test func errorsOfBothKinds() throws {
        #expect(throws: JSON.ParseError.self) { _ = try JSON.reading(Array("[1,".utf8)) { $0.skip() } }
        #expect(throws: JSON.ParseError.self) { _ = try JSON.reading(Array(#"["\udfff"]"#.utf8)) { _ = Self.build(&$0) } }
        #expect(throws: JSON.ParseError.self) { _ = try JSON.reading(Array("[1,2]".utf8), limits: .init(bytesMax: 4)) { $0.skip() } }
        let result = try JSON.reading(Array("[1]".utf8)) { reader throws(Refusal) in
            _ = try reader.array { _ throws(Refusal) in throw Refusal() }
        }
        #expect(throws: Refusal.self) { try result.get() }
    }
}
