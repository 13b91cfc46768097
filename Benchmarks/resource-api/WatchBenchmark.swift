import CBenchHTTP
import Foundation
import Model

/// One change that 500 watchers of the kind see, beside the same bytes sent to as many sockets by a loop in C.
struct WatchBenchmark {
    let scheduler: SchedulerProcess

    private static let watchers: Int32 = 500
    private static let changes = 300
    private static let millisecondsMax = 50.0
    private static let tableType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

    func run() async throws {
        try measure("objects", accept: "application/json")
        try measure("tables", accept: Self.tableType)
    }

    private func measure(_ what: String, accept: String) throws {
        let path = "/apis/\(API.groupVersion)/diagnoses?watch=1&sendInitialEvents=false&timeoutSeconds=600"
        let watchers = try Watchers(scheduler.port, scheduler.request("GET", path, ["Accept: \(accept)"]), Self.watchers)
        defer { watchers.close() }
        for number in 0..<10 { _ = try watchers.tell(change("warm-\(number)-up"), "warm-\(number)-up") }
        let before = scheduler.cpuSeconds
        var told: [bench_told] = []
        for number in 0..<Self.changes { told.append(try watchers.tell(change("round-\(number)-\(what)"), "round-\(number)-\(what)")) }
        let cpu = (scheduler.cpuSeconds - before) / Double(Self.changes)
        let line = watchers.line()

        let reference = try Reference.fanOut()
        defer { reference.end() }
        let plainWatchers = try Watchers(reference.port, Array("GET / HTTP/1.1\r\n\r\n".utf8), Self.watchers)
        defer { plainWatchers.close() }
        let plainBefore = bench_cpu_seconds(reference.pid)
        var plain: [bench_told] = []
        for _ in 0..<Self.changes { plain.append(try plainWatchers.tell(line, "round-\(Self.changes - 1)-\(what)")) }
        let plainCPU = (bench_cpu_seconds(reference.pid) - plainBefore) / Double(Self.changes)
        let last = Samples(told.map(\.last))
        let p99 = last.percentile(99) * 1e3
        print(
            "watch: a change seen by \(Self.watchers) watchers as \(what), \(line.count) bytes each: from its request to the last of them "
                + "\(last.milliseconds) (p99 \(verdict(p99, atMost: Self.millisecondsMax)) ms), to its own answer "
                + "\(Samples(told.map(\.answered)).milliseconds); \(rounded(cpu * 1e6 / Double(Self.watchers))) µs of CPU a watcher")
        print(
            "watch:   reference, the same bytes to \(Self.watchers) sockets in C: \(Samples(plain.map(\.last)).milliseconds), "
                + "\(rounded(plainCPU * 1e6 / Double(Self.watchers))) µs of CPU a socket; "
                + "ratio of p50 \(rounded(last.median / Samples(plain.map(\.last)).median))")
    }

    /// A merge patch of an annotation, which is in the object and in the metadata of its row.
    private func change(_ mark: String) -> [UInt8] {
        let path = "/apis/\(API.groupVersion)/namespaces/\(SampleDiagnosis.namespace)/diagnoses/\(SampleDiagnosis.name(4711))"
        let body = #"{"metadata":{"annotations":{"example.org/round":"\#(mark)"}}}"#
        return scheduler.request("PATCH", path, ["Content-Type: application/merge-patch+json"], body: body)
    }
}

/// The connections that watch.
private struct Watchers {
    private let all: OpaquePointer

    init(_ port: UInt16, _ request: [UInt8], _ count: Int32) throws {
        let opened = request.withUnsafeBytes {
            bench_watchers_open(port, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, count)
        }
        guard let opened else { throw BenchmarkFailure("not all of \(count) watches were answered") }
        all = opened
    }

    func tell(_ change: [UInt8], _ needle: String) throws -> bench_told {
        let told = change.withUnsafeBytes {
            bench_watchers_tell(all, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, needle)
        }
        guard told.answered >= 0 else { throw BenchmarkFailure("a change was refused or not seen by all watchers") }
        return told
    }

    /// The last line that the first watcher got.
    func line() -> [UInt8] {
        var line = [UInt8](repeating: 0, count: 65_536)
        let count = line.withUnsafeMutableBytes {
            bench_watchers_line(all, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return Array(line.prefix(count))
    }

    func close() { bench_watchers_close(all) }
}
