import CBenchHTTP
import Foundation
import Glibc

/// Answers every request with a file's bytes by plain libmicrohttpd, until standard input is closed: in a process of its own.
func serve(_ path: String) {
    guard let body = FileManager.default.contents(atPath: path) else { exit(66) }
    say(body.withUnsafeBytes { bench_reference_start($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) })
}

/// Sends lines on to all connections by plain sockets, until standard input is closed: in a process of its own.
func serveFanOut() { say(bench_fanout_start()) }

private func say(_ port: UInt16) {
    var text = "\(port)\n"
    text.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    while readLine() != nil {}
}

/// A reference's process.
struct Reference {
    let pid: Int32
    let port: UInt16
    private let input: Int32
    private let output: Int32

    /// A server that answers everything with `body`, which is kept in `folder`.
    init(answering body: [UInt8], folder: String) throws {
        let path = folder + "/reference-body"
        try Data(body).write(to: URL(fileURLWithPath: path))
        try self.init("serve", path)
    }

    static func fanOut() throws -> Reference { try Reference("fan-out", "") }

    private init(_ mode: String, _ argument: String) throws {
        var (input, output): (Int32, Int32) = (-1, -1)
        pid = bench_spawn(mode, argument, &input, &output)
        self.input = input
        self.output = output
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(output, &buffer, buffer.count)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? ""
        guard let port = UInt16(text), port > 0 else { throw BenchmarkFailure("the reference did not start") }
        self.port = port
    }

    func end() {
        _ = close(input)
        _ = close(output)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }
}
