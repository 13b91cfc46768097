import JSONCoding
import Testing

@Suite struct EncodeTests {
    private func text(_ json: JSON) -> String { String(decoding: json.encoded(), as: UTF8.self) }

    @Test(arguments: [
        (JSON.null, "null"), (.bool(true), "true"), (.integer(0), "0"), (.integer(-1), "-1"), (.integer(.max), "9223372036854775807"),
        (.integer(.min), "-9223372036854775808"), (.integer(1_000_000_000_000_000_000), "1000000000000000000"), (.number(0.1), "0.1"),
        (.number(-0.0), "-0.0"), (.number(1e21), "1e+21"), (.number(1.5e-7), "1.5e-07"), (.number(.infinity), "null"),
        (.number(.nan), "null"),
        (.string(""), #""""#), (.string("\"\\/\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}"), #""\"\\/\n\r\t\b\f\u0001\u001f"# + "\u{7f}\""),
        (.string("é😀\u{2028}"), "\"é😀\u{2028}\""), (.array([]), "[]"), (.object([:]), "{}"), (.array([1, [2]]), "[1,[2]]"),
        (.object(["b": 1, "a": [:], "B": .null, "": 0]), #"{"":0,"B":null,"a":{},"b":1}"#),
    ])
    func compact(json: JSON, expected: String) {
        #expect(text(json) == expected)
        #expect(json.description == expected)
    }

    @Test func pretty() {
        let json: JSON = ["b": [1, ["x": .null]], "a": .object([:]), "c": []]
        let expected = """
            {
              "a": {},
              "b": [
                1,
                {
                  "x": null
                }
              ],
              "c": []
            }

            """
        #expect(String(decoding: json.prettyEncoded(), as: UTF8.self) == expected)
    }

    @Test func equalValuesHaveEqualBytes() {
        let keys = (0..<200).map { "key\($0)" }
        var forward: [String: JSON] = [:]
        var backward: [String: JSON] = [:]
        for key in keys { forward[key] = .string(key) }
        for key in keys.reversed() { backward[key] = .string(key) }
        #expect(JSON.object(forward).encoded() == JSON.object(backward).encoded())
    }

    @Test func access() {
        var json: JSON = ["a": ["b": ["c": 1]], "s": "x", "n": 2.0, "f": 2.5]
        #expect(json[path: "a", "b", "c"] == 1)
        #expect(json[path: "a", "x", "c"] == nil)
        #expect(json["s"]?["t"] == nil)
        #expect(json["n"]?.integerValue == 2)
        #expect(json["f"]?.integerValue == nil)
        #expect(json["a"]?["b"]?["c"]?.numberValue == 1)
        json["a"]?["b"]?["d"] = "new"
        json["s"] = nil
        json["z"] = ["y": 1]
        #expect(json == ["a": ["b": ["c": 1, "d": "new"]], "n": 2.0, "f": 2.5, "z": ["y": 1]])
    }
}
