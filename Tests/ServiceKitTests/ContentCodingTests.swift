import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import TestSupport
import Testing

@testable import ServiceKit

@Suite struct ContentCodingTests {
    @Test(arguments: [
        ([], ContentCoding.identity), (["gzip"], .gzip), (["GZIP"], .gzip), (["x-gzip"], .gzip), (["gzip, deflate, br"], .gzip),
        (["deflate", "gzip"], .gzip), (["br"], .identity), (["*"], .gzip), (["*;q=0"], .identity), (["gzip;q=0"], .identity),
        (["gzip;q=0, *"], .identity), (["gzip;q=0.5"], .gzip), (["identity, gzip;q=0.5"], .identity), (["identity;q=0.5, gzip"], .gzip),
        (["gzip;q=0.5, identity;q=0.5"], .gzip), (["gzip ; q=0.001"], .gzip), (["gzip;q=2"], .identity), (["gzip;q=nan"], .identity),
        (["gzip;q="], .identity), ([""], .identity), ([",,;,"], .identity), (["gzip;level=9;q=0.0"], .identity),
    ])
    func weightsDecide(fields: [String], expected: ContentCoding) {
        #expect(ContentCoding(accepted: fields) == expected)
    }

    private static func text(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(ascii: "a") + UInt8($0 * 7 % 26) }
    }

    private static func list(_ count: Int, isStream: Bool = false, status: Int = 200) -> Endpoint {
        Endpoint(.get, "/\(isStream ? "stream" : "list")/\(count)/\(status)", access: .anyone, summary: "A list.") { call in
            let response =
                isStream
                ? Response.stream(contentType: "application/json") { writer in
                    var rest = text(count)[...]
                    while !rest.isEmpty {
                        try await writer.write(Array(rest.prefix(10_000)))
                        rest = rest.dropFirst(10_000)
                    }
                } : .json(text(count), status: status)
            return await response.compressed(for: call.request.headers)
        }
    }

    /// With curl, which takes the coding off.
    @Test func longContentIsCompressedForWhoTakesIt() async throws {
        let (short, long) = (Response.compressedBytesMin, Response.compressedBytesMin + 1)
        let endpoints = [
            Self.list(short), Self.list(long), Self.list(1_000_000), Self.list(1_000_000, isStream: true), Self.list(long, status: 404),
        ]
        try await RunningServer.with(endpoints) { running in
            func check(_ path: String, _ count: Int, isCompressed: Bool) async throws {
                let plain = try await running.send(.get, path)
                #expect(plain.headers["Content-Encoding"] == nil, "\(path)")
                #expect(plain.headers.all("Vary") == ["Accept-Encoding"], "\(path)")
                #expect(plain.body == Self.text(count), "\(path)")

                let coded = try await running.send(.get, path, headers: ["Accept-Encoding": "gzip"])
                #expect(coded.headers["Content-Encoding"] == (isCompressed ? "gzip" : nil), "\(path)")
                #expect(coded.headers.all("Vary") == ["Accept-Encoding"], "\(path)")
                #expect((coded.body.count < count / 2) == isCompressed, "\(path)")
                let head = try await running.send(.head, path, headers: ["Accept-Encoding": "gzip"])
                #expect(head.headers["Content-Encoding"] == coded.headers["Content-Encoding"], "\(path)")
                #expect(head.headers["Content-Length"] == coded.headers["Content-Length"], "\(path)")

                let curl = try await run(
                    "/usr/bin/curl",
                    ["-sS", "--compressed", "-H", "Authorization: Bearer admin-token-0123456789", running.base + path])
                #expect(curl.status == 0, "\(curl.errors)")
                #expect(Array(curl.output.utf8) == Self.text(count), "\(path)")
            }
            try await check("/list/\(short)/200", short, isCompressed: false)
            try await check("/list/\(long)/200", long, isCompressed: true)
            try await check("/list/1000000/200", 1_000_000, isCompressed: true)
            try await check("/stream/1000000/200", 1_000_000, isCompressed: true)
            try await check("/list/\(long)/404", long, isCompressed: false)
        }
    }

    @Test func aStreamThatBreaksOffIsNoWholeMember() async throws {
        struct Broken: Error {}
        let endpoint = Endpoint(.get, "/broken", access: .anyone, summary: "Breaks off.") { call in
            await Response.stream(contentType: "application/json") { writer in
                try await writer.write(Self.text(200_000))
                throw Broken()
            }.compressed(for: call.request.headers)
        }
        try await RunningServer.with([endpoint]) { running in
            let curl = try await run(
                "/usr/bin/curl", ["-sS", "--compressed", "-H", "Authorization: Bearer admin-token-0123456789", running.base + "/broken"])
            #expect(curl.status != 0)
        }
    }
}
