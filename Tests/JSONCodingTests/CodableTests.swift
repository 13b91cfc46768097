import JSONCoding
import Testing

private struct Processor: Codable, Hashable {
    enum Scheme: String, Codable { case http, https }
    var address: String?
    var port: Int
    var scheme: Scheme
    var timeoutSeconds: Int32?
}

private struct Item: Codable, Hashable {
    var name: String
    var weights: [Double]
    var labels: [String: String]
    var processor: Processor?
    var children: [Item]
    var optionals: [Int?]
    var byRank: [Int: String]
    var raw: JSON?
    var small: UInt8
    var large: UInt64
    var flag: Bool
    var ratio: Float
}

@Suite struct CodableTests {
    private func item(depth: Int = 1) -> Item {
        Item(
            name: "n\u{e9}\"", weights: [0.1, 2, -1e300], labels: ["app.kubernetes.io/name": "x", "": ""],
            processor: Processor(address: nil, port: 80, scheme: .https, timeoutSeconds: 30),
            children: depth > 0 ? [item(depth: depth - 1)] : [],
            optionals: [1, nil, 3], byRank: [1: "one", -2: "two"], raw: ["any": [1, .null, "thing"]], small: 255, large: 1 << 53,
            flag: true,
            ratio: 0.5)
    }

    @Test func valuesRoundTrip() throws {
        let json = try JSON(encoding: item())
        #expect(json["processor"]?["address"] == nil, "an absent optional has no member")
        #expect(json["raw"] == ["any": [1, .null, "thing"]])
        #expect(json["large"] == .integer(1 << 53))
        #expect(try json.decode(Item.self) == item())
        #expect(try JSON.decode(Item.self, from: JSON.encode(item())) == item())
    }

    @Test func missingNullAndUnknownMembers() throws {
        #expect(try (["port": 1, "scheme": "http"] as JSON).decode(Processor.self) == Processor(port: 1, scheme: .http))
        #expect(
            try (["port": 1, "scheme": "http", "address": .null, "unknown": [1]] as JSON).decode(Processor.self)
                == Processor(port: 1, scheme: .http))
        #expect(try (["port": 80.0, "scheme": "http"] as JSON).decode(Processor.self).port == 80)
    }

    @Test(arguments: [
        (#"{"port":"x","scheme":"http"}"#, "port: expected an integer, found a string"),
        (#"{"port":1.5,"scheme":"http"}"#, "port: expected a whole number from -9223372036854775808 to 9223372036854775807, found 1.5"),
        (#"{"scheme":"http"}"#, "port: is required"),
        (#"{"port":null,"scheme":"http"}"#, "port: expected an integer, found null"),
        (
            #"{"port":1,"scheme":"http","timeoutSeconds":2147483648}"#,
            "timeoutSeconds: expected a whole number from -2147483648 to 2147483647, found 2147483648"
        ),
        (#"{"port":1,"scheme":"http","address":7}"#, "address: expected a string, found an integer"),
        (#"[]"#, "expected an object, found an array"),
    ])
    func faultsNameTheField(text: String, expected: String) throws {
        let error = #expect(throws: JSON.DecodeError.self) { try JSON(parsing: Array(text.utf8)).decode(Processor.self) }
        #expect(error?.description == expected)
    }

    @Test func faultsNameNestedFields() throws {
        let good = try JSON(encoding: item(depth: 2))
        func path(_ change: (inout JSON) -> Void) -> String? {
            var json = good
            change(&json)
            return #expect(throws: JSON.DecodeError.self) { try json.decode(Item.self) }?.path
        }
        func child(_ json: inout JSON, _ change: (inout JSON) -> Void) {
            guard case .array(var children)? = json["children"] else { return }
            change(&children[0])
            json["children"] = .array(children)
        }
        #expect(path { child(&$0) { child(&$0) { $0["processor"]?["port"] = true } } } == "children[0].children[0].processor.port")
        #expect(path { $0["weights"] = [1, "x"] } == "weights[1]")
        #expect(path { $0["labels"] = ["a/b": 1] } == "labels[a/b]")
        #expect(path { $0["optionals"] = [1, .null, "x"] } == "optionals[2]")
        #expect(path { $0["processor"]?["scheme"] = "ftp" } == "processor.scheme")
        #expect(path { child(&$0) { $0["name"] = nil } } == "children[0].name")
    }

    @Test func topLevelFragments() throws {
        #expect(try JSON.encode([1, 2]) == Array("[1,2]".utf8))
        #expect(try JSON.encode("x") == Array("\"x\"".utf8))
        #expect(try JSON.encode(Int?.none) == Array("null".utf8))
        #expect(try JSON.decode([String: [Int]].self, from: Array(#"{"a":[1]}"#.utf8)) == ["a": [1]])
        #expect(try JSON(encoding: UInt64.max) == .number(0x1p64))
        #expect(throws: EncodingError.self) { try JSON(encoding: [1.0, .nan]) }
    }

    @Test func nestedContainersAndSuperclasses() throws {
        let json = try JSON(encoding: Derived(base: 1, name: "x", pairs: [1, 2]))
        #expect(json == ["base": 1, "outer": ["name": "x", "pairs": [1, ["deep": 2]]]])
        let back = try json.decode(Derived.self)
        #expect((back.base, back.name, back.pairs) == (1, "x", [1, 2]))
    }

    /// A type may write itself into the object that a document it holds has begun.
    @Test func membersBesideADocument() throws {
        struct Flattened: Encodable {
            enum Keys: String, CodingKey { case extra }
            func encode(to encoder: any Encoder) throws {
                try (["a": 1] as JSON).encode(to: encoder)
                var container = encoder.container(keyedBy: Keys.self)
                try container.encode(2, forKey: .extra)
            }
        }
        #expect(try JSON(encoding: Flattened()) == ["a": 1, "extra": 2])
    }

    @Test func anEmptyTypeIsAnEmptyObject() throws {
        struct Nothing: Codable {}
        #expect(try JSON(encoding: Nothing()) == .object([:]))
        #expect(try JSON(encoding: [Nothing()]) == [.object([:])])
        #expect(throws: Never.self) { try JSON.object([:]).decode(Nothing.self) }
    }
}

private class Root: Codable {
    let base: Int
    init(base: Int) { self.base = base }
}

/// Writes into the object its superclass began and into nested containers.
private final class Derived: Root {
    enum Keys: String, CodingKey { case outer, name, pairs, deep }
    let name: String
    let pairs: [Int]
    init(base: Int, name: String, pairs: [Int]) {
        self.name = name
        self.pairs = pairs
        super.init(base: base)
    }
    required init(from decoder: any Decoder) throws {
        let outer = try decoder.container(keyedBy: Keys.self).nestedContainer(keyedBy: Keys.self, forKey: .outer)
        name = try outer.decode(String.self, forKey: .name)
        var list = try outer.nestedUnkeyedContainer(forKey: .pairs)
        let first = try list.decode(Int.self)
        pairs = [first, try list.nestedContainer(keyedBy: Keys.self).decode(Int.self, forKey: .deep)]
        try super.init(from: decoder)
    }
    override func encode(to encoder: any Encoder) throws {
        try super.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        var outer = container.nestedContainer(keyedBy: Keys.self, forKey: .outer)
        try outer.encode(name, forKey: .name)
        var list = outer.nestedUnkeyedContainer(forKey: .pairs)
        try list.encode(pairs[0])
        var deep = list.nestedContainer(keyedBy: Keys.self)
        try deep.encode(pairs[1], forKey: .deep)
    }
}
