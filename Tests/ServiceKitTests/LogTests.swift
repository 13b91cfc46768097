import Foundation
import JSONCoding
import Logging
import Testing

@testable import ServiceKit

/// A logger whose lines come back as JSON.
struct LogCapture {
    let logger: Logger
    private let sink: LogSink
    private let file: TemporaryFile

    init(level: Logger.Level = .trace) throws {
        let file = try TemporaryFile()
        let handle = try #require(FileHandle(forWritingAtPath: file.path))
        let sink = LogSink(descriptor: dup(handle.fileDescriptor))
        self.file = file
        self.sink = sink
        logger = Logger(label: "test") { _ in JSONLogHandler(service: "test", level: level, sink: sink) }
    }

    func rawLines() throws -> [String] {
        sink.flush()
        return try #require(file.text).split(separator: "\n").map(String.init)
    }

    func lines() throws -> [JSON] {
        try rawLines().map { try JSON(parsing: Array($0.utf8)) }
    }
}

@Suite struct LogTests {
    @Test func aLineCarriesTimeLevelMessageAndMetadata() throws {
        let capture = try LogCapture()
        var logger = capture.logger
        logger[metadataKey: "trace_id"] = "0af7651916cd43dd8448eb211c80319c"
        logger.info(
            "diagnosis succeeded", metadata: ["diagnosis": "u-1", "steps": .stringConvertible(3), "list": ["a", "b"], "map": ["k": "v"]])
        let raw = try capture.rawLines()[0]
        #expect(raw.hasPrefix("{\"time\":\"20"))
        #expect(
            raw.firstMatch(
                of: /"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"info","service":"test","message":"diagnosis succeeded"/)
                != nil)
        let line = try capture.lines()[0]
        #expect(line["trace_id"]?.stringValue == "0af7651916cd43dd8448eb211c80319c")
        #expect(line["steps"]?.integerValue == 3)
        #expect(line["list"] == .array([.string("a"), .string("b")]))
        #expect(line["map"] == .object(["k": .string("v")]))
    }

    @Test func whatAPeerSentStaysOneLineAndOneValue() throws {
        let capture = try LogCapture()
        let nasty = "a\"b\\c\nd\r\u{1B}[31m\u{0}\u{2028}\u{9B}é\u{1F600}\",\"level\":\"forged"
        capture.logger.warning("refused", metadata: ["alert": "\(nasty)", "message": "own", "na\"me": "x"])
        let raw = try capture.rawLines()
        #expect(raw.count == 1)
        #expect(raw[0].unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x2028 })
        let line = try capture.lines()[0]
        #expect(line["alert"]?.stringValue == nasty)
        #expect(line["level"]?.stringValue == "warning")
        #expect(line["message"]?.stringValue == "refused")
        #expect(line["_message"]?.stringValue == "own")
    }

    @Test func lengthIsBounded() throws {
        let capture = try LogCapture()
        let long = String(repeating: "x", count: 100_000)
        capture.logger.info("long", metadata: Dictionary(uniqueKeysWithValues: (0..<50).map { ("k\($0)", "\(long)") }))
        var deep = Logger.MetadataValue.string("end")
        for _ in 0..<100 { deep = .array([deep]) }
        capture.logger.info("deep", metadata: ["deep": deep])
        let raw = try capture.rawLines()
        #expect(raw.allSatisfy { $0.utf8.count < 40_000 })
        #expect(try capture.lines()[0]["truncated"] == .bool(true))
        #expect(try capture.lines()[0]["k0"]?.stringValue?.utf8.count == LogLine.valueBytesMax + 3)
    }

    @Test func secretsAreNotWritten() throws {
        let capture = try LogCapture()
        capture.logger.info(
            "x", metadata: ["authorization": "Bearer abc-secret", "client_token": "abc-secret", "headers": ["Cookie": "abc-secret"]])
        #expect(try !capture.rawLines()[0].contains("abc-secret"))
    }

    @Test func theLevelIsKept() throws {
        let capture = try LogCapture(level: .warning)
        capture.logger.info("no")
        capture.logger.error("yes")
        #expect(try capture.lines().count == 1)
    }

    @Test func aReaderThatStopsCostsLinesButNoTime() async throws {
        let pipe = Pipe()
        let sink = LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let logger = Logger(label: "test") { _ in JSONLogHandler(service: "test", level: .info, sink: sink) }
        let filler = String(repeating: "y", count: 2000)
        let took = ContinuousClock().measure {
            for _ in 0..<2000 { logger.info("filler", metadata: ["filler": "\(filler)"]) }
        }
        #expect(took < .seconds(5))
        #expect(sink.linesDroppedTotal > 0)
        let dropped = sink.linesDroppedTotal
        let reading = Task.detached {
            var all = Data()
            while true {
                let next = pipe.fileHandleForReading.availableData
                if next.isEmpty { break }
                all += next
                if String(decoding: all.suffix(4096), as: UTF8.self).contains("log lines were dropped") { break }
            }
            return String(decoding: all, as: UTF8.self)
        }
        let text = await reading.value
        #expect(text.contains("\"count\":\(dropped)}"))
        #expect(text.split(separator: "\n").count == 2000 - dropped + 1)
    }
}
