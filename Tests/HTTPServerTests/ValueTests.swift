import HTTPMessage
import Testing

@testable import HTTPServer

@Suite struct ByteRangeTests {
    static let rows: [(String?, Int64, ByteRange)] = [
        (nil, 10, .whole),
        ("bytes=0-", 10, .part(0..<10)),
        ("bytes=0-0", 10, .part(0..<1)),
        ("bytes=2-5", 10, .part(2..<6)),
        ("Bytes=2-5", 10, .part(2..<6)),
        ("bytes=2-500", 10, .part(2..<10)),
        ("bytes=9-", 10, .part(9..<10)),
        ("bytes=10-", 10, .unsatisfiable),
        ("bytes=-3", 10, .part(7..<10)),
        ("bytes=-30", 10, .part(0..<10)),
        ("bytes=-0", 10, .unsatisfiable),
        ("bytes=0-", 0, .unsatisfiable),
        ("bytes=5-2", 10, .whole),
        ("bytes=a-b", 10, .whole),
        ("bytes=+1-2", 10, .whole),
        ("bytes=-", 10, .whole),
        ("bytes=", 10, .whole),
        ("bytes=0-1,3-4", 10, .whole),
        ("lines=0-1", 10, .whole),
        ("bytes=99999999999999999999-", 10, .unsatisfiable),
        ("bytes=18446744073709551615-", 10, .unsatisfiable),
        ("bytes=0-99999999999999999999999", 10, .part(0..<10)),
        ("bytes=-99999999999999999999999", 10, .part(0..<10)),
    ]

    @Test(arguments: rows) func `a Range field means what RFC 9110 says`(_ row: (String?, Int64, ByteRange)) {
        #expect(ByteRange(field: row.0, size: row.1) == row.2)
    }
}

@Suite struct FramingTests {
    @Test func `the body's length is unambiguous or refused`() throws {
        #expect(try Framing(["Host": "x"], isHTTP11: true).body == .none)
        #expect(try Framing(["Host": "x", "Content-Length": "0"], isHTTP11: true).body == .none)
        #expect(try Framing(["Host": "x", "content-length": "7"], isHTTP11: true).body == .length(7))
        #expect(try Framing(["Host": "x", "Transfer-Encoding": "Chunked"], isHTTP11: true).body == .chunked)
        #expect(try Framing([:], isHTTP11: false).body == .none)
        let faults: [(Headers, Framing.Fault)] = [
            (["Host": "x", "Content-Length": "1", "content-length": "1"], .ambiguous),
            (["Host": "x", "Content-Length": "1", "Transfer-Encoding": "chunked"], .ambiguous),
            (["Host": "x", "Transfer-Encoding": "gzip"], .unsupportedCoding),
            (["Host": "x", "Transfer-Encoding": "gzip, chunked"], .unsupportedCoding),
            ([:], .host),
            (["Host": "x", "host": "y"], .host),
            (["Host": "x", "Content-Length ": "3"], .fieldName),
            (["Host": "x", "": "3"], .fieldName),
        ]
        for (headers, fault) in faults {
            #expect(throws: fault) { try Framing(headers, isHTTP11: true) }
        }
    }

    @Test func `a request target is split and its scheme left out`() {
        let rows: [(String, String, String, Bool)] = [
            ("/a/b?x=1&y", "/a/b", "x=1&y", false), ("/", "/", "", false), ("/a?", "/a", "", false), ("/a??", "/a", "?", false),
            ("*", "*", "", false), ("http://host/a?b", "/a", "b", false), ("HTTP://host", "/", "", false),
            ("http://host?x", "/", "x", false), ("https://h/%2F", "/%2F", "", false), ("", "", "", true), ("a/b", "a/b", "", true),
            ("host:443", "host:443", "", true), ("/\u{e9}", "", "", true), ("/a\u{1}", "", "", true), ("/a b", "", "", true),
        ]
        for (text, path, query, isMalformed) in rows {
            let target = text.withCString { RequestTarget($0) }
            #expect(target.isMalformed == isMalformed, "\(text)")
            #expect(target.path == path && target.rawQuery == query, "\(text)")
        }
        #expect(RequestTarget(nil).isMalformed)
    }
}

@Suite struct StreamBufferTests {
    @Test func `bytes come out as they went in, and a client that never catches up costs no more than the buffer`() throws {
        // The connection is touched only when the buffer runs dry, which it never does here.
        let buffer = StreamBuffer(
            handle: try #require(OpaquePointer(bitPattern: 16)), connection: Connection(id: 1, descriptor: -1, peer: "", now: .now),
            contentBytes: nil, bytesMax: 1000)
        var (written, taken) = (0, 0)
        var room = [UInt8](repeating: 0, count: 70)
        while taken < 500_000 {
            let piece = (0..<300).map { UInt8(truncatingIfNeeded: (written + $0) / 3) }
            if case .taken = buffer.offer(piece) { written += piece.count }
            let count = room.withUnsafeMutableBytes { buffer.read(into: $0) }
            #expect(room[..<count].enumerated().allSatisfy { $0.element == UInt8(truncatingIfNeeded: (taken + $0.offset) / 3) })
            taken += count
            #expect(buffer.keptBytes <= 2 * (1000 + 300))
        }
        #expect(buffer.bytesSent == taken && written - taken >= 1000 - 70)
        buffer.finish(isComplete: true)
        while taken < written { taken += room.withUnsafeMutableBytes { buffer.read(into: $0) } }
        #expect(room.withUnsafeMutableBytes { buffer.read(into: $0) } == -1)
        if case .taken = buffer.offer([1]) { Issue.record("a finished stream took more") }
    }
}
