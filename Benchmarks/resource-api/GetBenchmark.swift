import CBenchHTTP
import Foundation
import Model

/// One diagnosis over 64 keep-alive connections, beside plain libmicrohttpd with the same bytes.
struct GetBenchmark {
    let scheduler: SchedulerProcess

    private static let connections: Int32 = 64
    private static let requests: UInt64 = 60_000
    private static let rounds = 5
    private static let ratioMax = 2.5

    func run() async throws {
        let path = "/apis/\(API.groupVersion)/namespaces/\(SampleDiagnosis.namespace)/diagnoses/\(SampleDiagnosis.name(4711))"
        let body = try await scheduler.get(path)
        let reference = try Reference(answering: body, folder: scheduler.folder)
        defer { reference.end() }
        let request = scheduler.request("GET", path, ["Accept: application/json"])
        let plainRequest = Array(String(decoding: request, as: UTF8.self).replacing(":\(scheduler.port)", with: ":\(reference.port)").utf8)
        var (costs, plain): ([Double], [Double]) = ([], [])
        // The first requests pay for what is allocated once.
        _ = try measure(scheduler.pid, scheduler.port, request, 5000)
        _ = try measure(reference.pid, reference.port, plainRequest, 5000)
        for _ in 0..<Self.rounds {
            costs.append(try measure(scheduler.pid, scheduler.port, request, Self.requests))
            plain.append(try measure(reference.pid, reference.port, plainRequest, Self.requests))
        }
        let ratio = Samples(zip(costs, plain).map { $0 / $1 }).median
        print(
            "get: one diagnosis of \(body.count) bytes: \(rounded(Samples(costs).median * 1e6)) µs of CPU; reference, plain libmicrohttpd: "
                + "\(rounded(Samples(plain).median * 1e6)) µs; ratio \(rounded(ratio)) (\(verdict(ratio, atMost: Self.ratioMax)))")
    }

    private func measure(_ pid: Int32, _ port: UInt16, _ request: [UInt8], _ count: UInt64) throws -> Double {
        try cpuSeconds(of: pid, port: port, request: request, connections: Self.connections, count: count)
    }
}
