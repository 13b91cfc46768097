import Compression
import Foundation
import TestSupport
import Testing

@Suite struct GzipEncoderTests {
    /// Text of that length, as compressible as hexadecimal digits are, the same for each seed.
    private static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed | 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Array("0123456789abcdef".utf8)[Int(state >> 60)]
        }
    }

    @Test(arguments: [
        (0, 1), (1, 1), (1_000, 7), (16_384, 16_384), (65_536, 65_536), (65_537, 65_536), (300_000, 1_000), (3_000_000, 65_536),
    ])
    func whatIsCompressedIsWhatGzipReads(count: Int, piece: Int) async throws {
        let text = Self.text(count, seed: UInt64(count))
        let encoder = try #require(GzipEncoder())
        var compressed: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            compressed += encoder.encode(rest.prefix(piece))
            rest = rest.dropFirst(piece)
        }
        compressed += encoder.finish()
        #expect(count < 1000 || compressed.count < count * 7 / 10)

        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let file = folder.path + "/text.gz"
        try Data(compressed).write(to: URL(fileURLWithPath: file))
        let result = try await run("/bin/gzip", ["-dc", file])
        #expect(result.status == 0, "\(result.errors)")
        #expect(Array(result.output.utf8) == text)
    }

    @Test func aCollectionThatIsNoArrayIsTakenToo() throws {
        let bytes = Self.text(10_000, seed: 3)
        let (one, other) = (try #require(GzipEncoder(level: 9)), try #require(GzipEncoder(level: 9)))
        #expect(one.encode(bytes) + one.finish() == other.encode(bytes.lazy.map { $0 }) + other.finish())
    }
}
