import Foundation
import Glibc
import TestSupport

/// What the kernel has counted of some processes.
package struct ProcessFigures {
    /// CPU seconds of the processes, to the nanosecond, and of their children that have ended, in the kernel's ticks of 10 ms.
    package var cpuSeconds: Double
    package var residentMiB: [String: Double]
    /// The most that was resident at any time.
    package var peakMiB: [String: Double]

    package init(_ cluster: Cluster, _ names: [String]) throws {
        cpuSeconds = 0
        residentMiB = [:]
        peakMiB = [:]
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        for name in names {
            guard let pid = cluster.processID(name) else { continue }
            let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            // The name in parentheses may hold spaces: fields are counted from behind it (proc(5)).
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            cpuSeconds += Self.clock(of: pid) + fields[14...15].compactMap { Double($0) }.reduce(0, +) / ticks
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            residentMiB[name] = Self.mebibytes("VmRSS:", status)
            peakMiB[name] = Self.mebibytes("VmHWM:", status)
        }
    }

    /// A process' CPU clock (clock_getcpuclockid(3)); 0 once it is gone.
    private static func clock(of pid: pid_t) -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func mebibytes(_ field: String, _ status: String) -> Double {
        let line = status.split(separator: "\n").first { $0.hasPrefix(field) }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }
}

/// Sorted samples of milliseconds.
package struct Samples {
    private let sorted: [Double]

    package init(_ values: [Double]) { sorted = values.sorted() }

    package func percentile(_ percent: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * percent / 100))]
    }

    package var text: String {
        "p50 \(rounded(percentile(50))) p95 \(rounded(percentile(95))) p99 \(rounded(percentile(99))) max \(rounded(sorted.last ?? 0)) ms"
    }
}

package func rounded(_ value: Double) -> String { String(format: "%.1f", value) }

package func milliseconds(since start: ContinuousClock.Instant) -> Double {
    let parts = (ContinuousClock.now - start).components
    return Double(parts.seconds) * 1000 + Double(parts.attoseconds) / 1e15
}

/// The least that the machine needs for one run: so many durable writes one after another, and so many processes.
package func machineFloor(syncs: Int, spawns: Int, rounds: Int, folder: String) throws -> Samples {
    let descriptor = open(folder + "/floor", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(descriptor) }
    let page = [UInt8](repeating: 0x61, count: 4096)
    var samples: [Double] = []
    for _ in 0..<rounds {
        let start = ContinuousClock.now
        for _ in 0..<syncs {
            guard write(descriptor, page, page.count) == page.count, fdatasync(descriptor) == 0 else {
                throw Cluster.Failure(description: "fdatasync failed: errno \(errno)")
            }
        }
        for _ in 0..<spawns {
            var pid: pid_t = 0
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
            defer { free(arguments[0]) }
            guard posix_spawn(&pid, "/bin/true", nil, nil, &arguments, environ) == 0 else { continue }
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
        samples.append(milliseconds(since: start))
    }
    return Samples(samples)
}
