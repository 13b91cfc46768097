import CBenchHTTP
import Foundation
import JSONCoding
import Model

/// All diagnoses in pages of 500, as tables and as objects; the reference answers as many times with the first page's bytes.
struct ListBenchmark {
    let scheduler: SchedulerProcess

    private static let pageObjects = 500
    private static let rounds = 7
    private static let microsecondsMax = 15.0
    private static let tableType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

    func run() async throws {
        try await measure("tables", accept: Self.tableType, limit: Self.microsecondsMax)
        try await measure("objects", accept: "application/json", limit: nil)
    }

    private func measure(_ what: String, accept: String, limit: Double?) async throws {
        let first = try await page(accept, continue: nil)
        let reference = try Reference(answering: first, folder: scheduler.folder)
        defer { reference.end() }
        var (costs, plain): ([Double], [Double]) = ([], [])
        for _ in 0..<Self.rounds {
            costs.append(try await round(accept))
            plain.append(try await referenceRound(reference))
        }
        let cost = Samples(costs).median * 1e6
        let bound = limit.map { " (\(verdict(cost, atMost: $0)))" } ?? ""
        print(
            "list: \(scheduler.diagnoses) diagnoses as \(what) in pages of \(Self.pageObjects), \(first.count / Self.pageObjects) bytes each: "
                + "\(rounded(cost)) µs of CPU an object\(bound), fastest round \(rounded(Samples(costs).percentile(0) * 1e6)); "
                + "reference, the same bytes by plain libmicrohttpd: \(rounded(Samples(plain).median * 1e6)) µs")
    }

    /// Seconds of the scheduler's CPU for an object.
    private func round(_ accept: String) async throws -> Double {
        let before = scheduler.cpuSeconds
        var (token, pages): (String?, Int) = (nil, 0)
        repeat {
            token = Self.continueToken(try await page(accept, continue: token))
            pages += 1
        } while token != nil
        let expected = scheduler.diagnoses / Self.pageObjects
        guard pages == expected else { throw BenchmarkFailure("\(pages) pages instead of \(expected)") }
        return (scheduler.cpuSeconds - before) / Double(scheduler.diagnoses)
    }

    private func page(_ accept: String, continue token: String?) async throws -> [UInt8] {
        let path = "/apis/\(API.groupVersion)/diagnoses?limit=\(Self.pageObjects)" + (token.map { "&continue=\($0)" } ?? "")
        return try await scheduler.get(path, accept: accept)
    }

    /// The token stands in the list's own metadata, which is written last.
    private static func continueToken(_ page: [UInt8]) -> String? {
        let end = String(decoding: page.suffix(2000), as: UTF8.self)
        guard let start = end.range(of: #""continue":""#, options: .backwards) else { return nil }
        return end[start.upperBound...].prefix { $0 != "\"" }.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
    }

    private func referenceRound(_ reference: Reference) async throws -> Double {
        let before = bench_cpu_seconds(reference.pid)
        // More of them than pages: what is measured comes in hundredths of a second.
        let times = 10
        for _ in 0..<(times * scheduler.diagnoses / Self.pageObjects) {
            _ = try await scheduler.http.send(.init(url: "http://127.0.0.1:\(reference.port)/"))
        }
        return (bench_cpu_seconds(reference.pid) - before) / Double(times * scheduler.diagnoses)
    }
}
