import CBenchHTTP
import Foundation

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Numbers of several rounds.
struct Samples {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    func percentile(_ percent: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * percent / 100))]
    }

    var median: Double { percentile(50) }

    /// Seconds as milliseconds.
    var milliseconds: String {
        "p50 \(rounded(percentile(50) * 1e3)) p99 \(rounded(percentile(99) * 1e3)) max \(rounded((sorted.last ?? 0) * 1e3)) ms"
    }
}

func rounded(_ value: Double) -> String { String(format: "%.2f", value) }

/// Whether a figure is what it has to be, in words.
func verdict(_ value: Double, atMost limit: Double) -> String { value <= limit ? "at most \(limit)" : "OVER \(limit)" }

/// Sends one request over `connections` keep-alive connections until `count` are answered; seconds of `pid`'s CPU for each.
func cpuSeconds(of pid: Int32, port: UInt16, request: [UInt8], connections: Int32, count: UInt64) throws -> Double {
    let before = bench_cpu_seconds(pid)
    let result = request.withUnsafeBytes {
        bench_load(port, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, connections, count)
    }
    guard result.wrong == 0 else { throw BenchmarkFailure("\(result.wrong) of \(result.requests) answers were not 200") }
    return (bench_cpu_seconds(pid) - before) / Double(result.requests)
}
