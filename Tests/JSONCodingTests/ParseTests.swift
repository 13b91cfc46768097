import JSONCoding
import Testing

@Suite struct ParseTests {
    @Test func scalarsAndContainers() throws {
        let text = #"{"a":[1,-2,3.5,true,false,null,"x\u00e9\n"],"b":{},"c":9223372036854775807,"d":9223372036854775808}"#
        let json = try JSON(parsing: Array(text.utf8))
        #expect(json["a"] == [1, -2, 3.5, true, false, nil, "xé\n"])
        #expect(json["b"] == .object([:]))
        #expect(json["c"] == .integer(.max))
        #expect(json["d"] == .number(9_223_372_036_854_775_808))
        #expect(try JSON(parsing: json.encoded()) == json)
    }
}
