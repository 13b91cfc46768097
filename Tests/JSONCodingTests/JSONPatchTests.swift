import JSONCoding
import Testing

@Suite struct JSONPatchTests {
    private func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    /// Most of RFC 6902, appendix A: document, patch, result.
    @Test(arguments: [
        (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
        (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
        (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
        (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
        (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo","foo":"bar"}"#),
        (
            #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
        ),
        (
            #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            #"{"foo":["all","cows","eat","grass"]}"#
        ),
        (#"{"baz":"qux","foo":["a",2,"c"]}"#, #"[{"op":"test","path":"/foo/1","value":2.0}]"#, #"{"baz":"qux","foo":["a",2,"c"]}"#),
        (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#, #"{"foo":"bar","child":{"grandchild":{}}}"#),
        (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#, #"{"foo":"bar","baz":"qux"}"#),
        (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
        (#"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#, #"{"foo":["bar",["abc","def"]]}"#),
        (#"{"foo":1}"#, #"[{"op":"replace","path":"","value":[1]}]"#, "[1]"),
        (
            #"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]"#,
            #"{"a":{"b":1},"c":{"b":2}}"#
        ),
        (#"{"":{"":1}}"#, #"[{"op":"replace","path":"//","value":2}]"#, #"{"":{"":2}}"#),
        (#"{"a":1}"#, #"[{"op":"move","from":"/a","path":"/a"}]"#, #"{"a":1}"#),
    ])
    func changes(_ example: (document: String, patch: String, result: String)) throws {
        #expect(try json(example.document).applying(JSONPatch(json(example.patch))) == json(example.result))
    }

    @Test(arguments: [
        #"[{"op":"test","path":"/a","value":2}]"#, #"[{"op":"add","path":"/x/y","value":1}]"#, #"[{"op":"remove","path":"/x"}]"#,
        #"[{"op":"replace","path":"/x","value":1}]"#, #"[{"op":"add","path":"/l/3","value":1}]"#, #"[{"op":"remove","path":"/l/2"}]"#,
        #"[{"op":"remove","path":"/l/-"}]"#, #"[{"op":"test","path":"/l/01","value":2}]"#, #"[{"op":"add","path":"/l/-1","value":2}]"#,
        #"[{"op":"remove","path":""}]"#, #"[{"op":"add","path":"/a/b","value":2}]"#, #"[{"op":"move","from":"/o","path":"/o/x"}]"#,
        #"[{"op":"copy","from":"/x","path":"/y"}]"#, #"[{"op":"test","path":"/x","value":null}]"#,
        #"[{"op":"add","path":"/l/99999999999999999999","value":1}]"#,
    ])
    func whatDoesNotFitIsRefused(patch: String) throws {
        let error = try #require(throws: JSONPatch.Fault.self) {
            try json(#"{"a":1,"l":[1,2],"o":{}}"#).applying(JSONPatch(json(patch)))
        }
        #expect(error.kind == .inapplicable)
        #expect(error.index == 0)
    }

    @Test(arguments: [
        "{}", "[1]", #"[{}]"#, #"[{"op":"eat","path":"/a"}]"#, #"[{"op":"add","path":"/a"}]"#, #"[{"op":"add","value":1}]"#,
        #"[{"op":"add","path":"a","value":1}]"#, #"[{"op":"add","path":"/~2","value":1}]"#, #"[{"op":"add","path":"/~","value":1}]"#,
        #"[{"op":"move","path":"/a"}]"#, #"[{"op":"remove","path":1}]"#,
    ])
    func whatIsNoPatchIsRefused(patch: String) throws {
        let error = try #require(throws: JSONPatch.Fault.self) { try JSONPatch(json(patch)) }
        #expect(error.kind == .malformed)
    }

    @Test func copiesOfCopiesEnd() throws {
        let double: [JSON] = (0..<200).flatMap {
            [["op": "copy", "from": "/a", "path": "/a/-"], ["op": "copy", "from": "", "path": "/x\($0)"]]
        }
        let error = try #require(throws: JSONPatch.Fault.self) { try (["a": [1, 2, 3]] as JSON).applying(JSONPatch(.array(double))) }
        #expect(error.kind == .tooLarge)
        let deep: JSON = .array((0..<100).map { _ in ["op": "copy", "from": "/a", "path": "/a/0"] })
        #expect(throws: JSONPatch.Fault.self) { try (["a": [[]]] as JSON).applying(JSONPatch(deep)) }
        let long = "/" + Array(repeating: "a", count: JSONPointer.partsMax + 1).joined(separator: "/")
        #expect(throws: JSONPatch.Fault.self) { try JSONPatch([["op": "remove", "path": .string(long)]]) }
        #expect(throws: JSONPatch.Fault.self) {
            try JSONPatch(.array(Array(repeating: ["op": "remove", "path": "/a"], count: JSONPatch.operationsMax + 1)))
        }
    }

    @Test func duplicateFieldsAreFoundWithTheirPaths() throws {
        let text = #"{"a":1,"b":{"c":1,"c":2},"a":2,"l":[{"x":1},{"y":1,"y":[{"z":1,"z":2}]}],"a":3}"#
        var duplicates: [String] = []
        let document = try JSON(parsing: Array(text.utf8), duplicateFields: &duplicates)
        #expect(document == ["a": 3, "b": ["c": 2], "l": [["x": 1], ["y": [["z": 2]]]]])
        #expect(duplicates == ["b.c", "a", "l[1].y[0].z", "l[1].y"])
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: Array(text.utf8)) }
        let many = "{" + Array(repeating: #""k":{"a":1,"a":1}"#, count: 500).joined(separator: ",") + "}"
        duplicates = []
        _ = try JSON(parsing: Array(many.utf8), duplicateFields: &duplicates)
        #expect(duplicates == ["k.a", "k"])
    }
}
