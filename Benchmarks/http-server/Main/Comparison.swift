import CBenchHTTP
import Glibc

/// The servers side by side.
struct Comparison {
    let requests: UInt64
    let rounds: Int

    private static let connections: Int32 = 64

    func run() {
        print("\(requests) requests a round on \(Self.connections) connections, \(rounds) rounds; CPU of the server process per request")
        var costs: [Subject: [Double]] = [:]
        for _ in 0..<rounds {
            for subject in Subject.allCases {
                costs[subject, default: []].append(measure(subject))
            }
        }
        var isOver = false
        for subject in Subject.allCases {
            let ratio = median(ratios(subject, costs))
            if let limit = subject.ratioMax, ratio > limit { isOver = true }
            print(
                pad(subject.rawValue, 24) + pad(decimal(median(costs[subject] ?? []) * 1e6), 8) + " µs   " + pad(decimal(ratio) + "×", 8)
                    + (subject.ratioMax.map { "at most \(decimal($0))×" } ?? ""))
        }
        exit(isOver ? 1 : 0)
    }

    /// What a round cost beside the reference of the same round, which the machine disturbed alike.
    private func ratios(_ subject: Subject, _ costs: [Subject: [Double]]) -> [Double] {
        zip(costs[subject] ?? [], costs[.reference] ?? []).map { $0 / $1 }
    }

    /// Seconds of the server's CPU per request.
    private func measure(_ subject: Subject) -> Double {
        let child = Child(subject)
        defer { child.end() }
        let request = subject.request(port: child.port)
        // The first requests pay for what is allocated once.
        _ = load(child.port, request, requests: 5000)
        let before = bench_cpu_seconds(child.pid)
        let result = load(child.port, request, requests: requests)
        let used = bench_cpu_seconds(child.pid) - before
        guard result.wrong == 0 else {
            print("\(subject.rawValue) failed: \(result.requests) answers, \(result.wrong) faults")
            exit(2)
        }
        return used / Double(result.requests)
    }

    private func load(_ port: UInt16, _ request: [UInt8], requests: UInt64) -> bench_load_result {
        request.withUnsafeBytes { bytes in
            bench_load(port, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, Self.connections, requests)
        }
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func decimal(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// A server in a process of its own.
private struct Child {
    let pid: Int32
    let port: UInt16
    private let input: Int32
    private let output: Int32

    init(_ subject: Subject) {
        var (input, output): (Int32, Int32) = (-1, -1)
        pid = bench_spawn("serve", subject.rawValue, &input, &output)
        self.input = input
        self.output = output
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(output, &buffer, buffer.count)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? ""
        guard let port = UInt16(text), port > 0 else {
            print("\(subject.rawValue) did not start")
            exit(2)
        }
        self.port = port
    }

    func end() {
        _ = close(input)
        _ = close(output)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }
}
