import Foundation
import Glibc
import ResourceStoreSQLite
import Synchronization

/// The group commits of one run.
final class CommitTally: Sendable {
    private let seen = Mutex<(commits: Int, transactions: Int, durations: [Duration])>((0, 0, []))

    func add(_ commit: GroupCommit) {
        seen.withLock { seen in
            seen.commits += 1
            seen.transactions += commit.transactions
            seen.durations.append(commit.duration)
        }
    }

    var summary: String {
        seen.withLock { seen in
            let sorted = seen.durations.sorted()
            let middle = sorted.isEmpty ? 0 : sorted[sorted.count / 2].inSeconds * 1000
            let size = Double(seen.transactions) / Double(max(1, seen.commits))
            return "\(seen.commits) commits of \((size * 10).rounded() / 10) objects, median \((middle * 100).rounded() / 100) ms"
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func rate(_ perSecond: Double) -> String { "\(Int(perSecond)) rows/s" }

/// User and system time of this process, in seconds.
func processCPUSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

/// Resident memory of this process, in MiB; 0 where /proc does not tell.
func residentMiB() -> Int {
    let pages = (FileManager.default.contents(atPath: "/proc/self/statm")).flatMap {
        String(decoding: $0, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
    return (pages ?? 0) * 4096 / (1 << 20)
}

extension StoreBenchmark {
    func inTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
        let path = try makeDirectory()
        defer { remove(path) }
        return try await body(path)
    }

    private func makeDirectory() throws -> String {
        let path = directory + "/bench-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func remove(_ path: String) {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("can't remove \(path): \(error)") }
    }
}
