import HTTPMessage
import Testing

@Suite struct HeadersTests {
    @Test func `names are compared without case and order is kept`() {
        var headers: Headers = ["Content-Type": "a", "X-One": "1"]
        headers.add("x-one", "2")
        #expect(headers["CONTENT-TYPE"] == "a")
        #expect(headers.all("X-ONE") == ["1", "2"])
        headers.set("x-One", "3")
        #expect(headers.map(\.value) == ["a", "3"])
        headers["x-one"] = nil
        #expect(!headers.contains("X-One"))
        headers["New"] = "n"
        #expect(headers == ["content-type": "a", "NEW": "n"])
        #expect(headers != ["NEW": "n", "content-type": "a"])
        #expect(headers["Content_Type"] == nil && headers["Content-Typ"] == nil)
        // The bytes around the letters differ by 0x20 too and are no letters.
        #expect(!Headers.equalNames("@", "`") && !Headers.equalNames("[", "{"))
    }

    @Test func `lists are taken apart`() {
        let headers: Headers = ["Connection": "keep-alive , Close", "connection": "x"]
        #expect(headers.listContains("connection", token: "close"))
        #expect(headers.listContains("connection", token: "X"))
        #expect(!headers.listContains("connection", token: "keep"))
    }

    @Test func `a value cannot end its line`() {
        #expect(Headers.isValidValue("a b\tc é"))
        for bad in ["a\r\nb", "a\nb", "a\0", "\u{7F}"] { #expect(!Headers.isValidValue(bad)) }
        let tokens = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...127 {
            #expect(Headers.isValidName(String(UnicodeScalar(byte))) == tokens.contains(byte))
        }
        for bad in ["", "a b", "a:", "é", "a\n"] { #expect(!Headers.isValidName(bad)) }
    }
}

@Suite struct QueryTests {
    @Test func `names and values are decoded in order`() throws {
        let query = try #require(Query(parsing: "a=1&b=x+y%26&a=%C3%A9&flag&=v&c=a=b&&"))
        #expect(query["a"] == "1" && query.all("a") == ["1", "é"])
        #expect(query["b"] == "x y&" && query["flag"] == "" && query[""] == "v" && query["c"] == "a=b")
        #expect(query["none"] == nil)
        #expect(Query(parsing: query.encoded) == query)
        #expect(Query(parsing: "")?.isEmpty == true)
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%c3"]) func `a malformed escape is nil`(_ text: String) {
        #expect(Query(parsing: text) == nil)
    }

    @Test func `percent-encoding returns what went in`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let text = String(
                (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
                    Character(UnicodeScalar(UInt32.random(in: 1..<0xD7FF, using: &generator)) ?? " ")
                })
            let encoded = PercentEncoding.encode(text)
            #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "+") })
            #expect(PercentEncoding.decode(encoded) == text)
            #expect(PercentEncoding.decode(encoded, plusIsSpace: true) == text)
        }
        #expect(PercentEncoding.decode("a+b") == "a+b")
    }

    @Test func `methods know what they promise`() {
        #expect(Method("GET") == .get && Method("get") == .other("get") && Method("PURGE").token == "PURGE")
        for method in [Method.get, .head, .put, .delete, .options, .trace] {
            #expect(method.isIdempotent && Method(method.token) == method)
        }
        for method in [Method.post, .patch, .other("X")] { #expect(!method.isIdempotent && !method.isSafe) }
        #expect(Method.put.isSafe == false && Method.get.isSafe)
    }
}
