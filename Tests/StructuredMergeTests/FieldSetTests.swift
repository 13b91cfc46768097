import JSONCoding
import StructuredMerge
import Testing

@Suite struct FieldSetTests {
    @Test func fieldsOfADocument() {
        let document = Fixture.object(
            [
                "a": "1", "nested": ["x": "2"], "map": ["k": "v"], "atomic": ["1", "2"], "set": ["s"],
                "items": [["name": "n", "p": "3"]], "any": ["deep": ["list": [1]]],
            ], metadata: ["labels": ["l": "v"], "finalizers": ["f"]])
        #expect(
            FieldSet(of: document, schema: Fixture.schema).fieldsV1 == [
                "f:apiVersion": [:], "f:kind": [:],
                "f:metadata": ["f:name": [:], "f:labels": ["f:l": [:]], "f:finalizers": [#"v:"f""#: [:]]],
                "f:spec": [
                    "f:a": [:], "f:nested": ["f:x": [:]], "f:map": ["f:k": [:]], "f:atomic": [:], "f:set": [#"v:"s""#: [:]],
                    "f:items": [#"k:{"name":"n"}"#: [".": [:], "f:name": [:], "f:p": [:]]],
                    "f:any": ["f:deep": [".": [:], "f:list": [:]]],
                ],
            ])
        #expect(FieldSet(of: ["spec": ["map": [:]]], schema: Fixture.schema).fieldsV1 == ["f:spec": ["f:map": [:]]])
    }

    @Test(arguments: [
        #"{"f:a":{}}"#, #"{"f:a":{".":{},"f:b":{}}}"#,
        #"{"f:l":{"k:{\"name\":\"n\",\"port\":80}":{".":{},"f:x":{}},"v:1":{},"v:\"s\"":{}}}"#,
        "{}",
    ])
    func isReadBackAsItWasWritten(text: String) throws {
        let json = try JSON(parsing: Array(text.utf8))
        #expect(try #require(FieldSet(fieldsV1: json)).fieldsV1 == json)
    }

    @Test(arguments: ["[]", "1", #"{"a":{}}"#, #"{"f:a":1}"#, #"{"k:x":{}}"#, #"{"k:[]":{}}"#, #"{"v:":{}}"#, #"{"f:a":{"x":{}}}"#])
    func whatIsNoSetIsRefused(text: String) throws {
        #expect(FieldSet(fieldsV1: try JSON(parsing: Array(text.utf8))) == nil)
    }

    @Test func tooDeepIsOwnedAsAWholeAndNeverRead() {
        var deep: JSON = "x"
        var fields: JSON = [:]
        for _ in 0..<60 {
            deep = ["d": deep]
            fields = ["f:d": fields]
        }
        let set = FieldSet(of: ["spec": ["any": deep]], schema: Fixture.schema)
        #expect(set.paths.map(\.count).max() == FieldSet.depthMax)
        #expect(FieldSet(fieldsV1: set.fieldsV1) == set)
        #expect(FieldSet(fieldsV1: fields) == nil)
    }

    @Test func setsAreSets() throws {
        let left = FieldSet([[.field("a")], [.field("b"), .field("c")], [.field("b")]])
        let right = FieldSet([[.field("b"), .field("c")], [.field("d")]])
        #expect(left.union(right).count == 4)
        #expect(left.intersection(right).paths == [[.field("b"), .field("c")]])
        #expect(left.subtracting(right).paths == [[.field("a")], [.field("b")]])
        #expect(left.subtracting(left).isEmpty)
        #expect(left.contains([.field("b"), .field("c")]))
        #expect(!left.contains([.field("c")]))
        #expect([PathElement.field("a"), .key(["n": "x", "m": 1]), .value("v")].fieldDescription == #".a[m=1,n="x"][="v"]"#)
    }

    @Test func comparison() {
        let old = Fixture.object([
            "a": "1", "nested": ["x": "1"], "map": ["k": "1", "l": "1"], "atomic": ["1"],
            "items": [["name": "n", "p": "1"], ["name": "o"]],
        ])
        let new = Fixture.object([
            "a": "2", "nested": ["x": "1", "y": "1"], "map": ["k": "1"], "atomic": ["2"],
            "items": [["name": "m"], ["name": "n", "p": "2"]],
        ])
        let result = Comparison(from: old, to: new, schema: Fixture.schema)
        #expect(
            result.added.paths.map(\.fieldDescription) == [".spec.items[name=\"m\"]", ".spec.items[name=\"m\"].name", ".spec.nested.y"])
        #expect(result.modified.paths.map(\.fieldDescription) == [".spec.a", ".spec.atomic", ".spec.items[name=\"n\"].p"])
        #expect(
            result.removed.paths.map(\.fieldDescription) == [".spec.items[name=\"o\"]", ".spec.items[name=\"o\"].name", ".spec.map.l"])
    }

    /// Where the kind of a value changes all below the old one goes.
    @Test func anotherKindOfValue() {
        let result = Comparison(
            from: Fixture.object(["any": ["x": 1]]), to: Fixture.object(["any": "text"]), schema: Fixture.schema)
        #expect(result.modified.paths.map(\.fieldDescription) == [".spec.any"])
        #expect(result.removed.paths.map(\.fieldDescription) == [".spec.any.x"])
    }
}
