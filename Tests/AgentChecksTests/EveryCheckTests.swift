import AgentChecks
import AgentOperations
import Foundation
import RecordedHost
import Testing

/// What holds for every check.
@Suite struct EveryCheckTests {
    private static let required = ["reachability": ["target": "127.0.0.1:1"]]

    /// Files that checks read.
    private static let paths = [
        "/dev/kmsg", "/etc/fstab", "/etc/resolv.conf", "/proc/7/cgroup", "/proc/7/limits", "/proc/7/stack", "/proc/7/stat",
        "/proc/7/task/8/stat",
        "/proc/7/wchan", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/net/dev", "/proc/net/netstat", "/proc/net/snmp",
        "/proc/net/sockstat", "/proc/net/softnet_stat", "/proc/net/stat/nf_conntrack", "/proc/net/tcp", "/proc/net/tcp6",
        "/proc/pressure/cpu",
        "/proc/pressure/io", "/proc/pressure/memory", "/proc/self/mountinfo", "/proc/stat", "/proc/sys/fs/file-nr",
        "/proc/sys/kernel/osrelease", "/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max",
        "/proc/sys/net/netfilter/nf_conntrack_count", "/proc/sys/net/netfilter/nf_conntrack_max", "/proc/vmstat",
        "/sys/class/net/eth0/carrier", "/sys/class/net/eth0/flags", "/sys/class/net/eth0/speed",
        "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "/sys/devices/system/edac/mc/mc0/ce_count",
        "/sys/devices/system/edac/mc/mc0/ue_count", "/sys/devices/system/edac/mc/mc0/dimm0/dimm_label", "/sys/fs/cgroup/a/cpu.stat",
        "/sys/fs/cgroup/a/io.pressure", "/sys/fs/cgroup/a/memory.current", "/sys/fs/cgroup/a/memory.events", "/sys/fs/cgroup/a/memory.max",
        "/sys/fs/cgroup/a/memory.pressure", "/sys/fs/cgroup/a/memory.stat", "/sys/fs/cgroup/a/pids.current", "/sys/fs/cgroup/a/pids.max",
        "/var/log/wtmp",
    ]

    /// Runs all checks; each has to come to an outcome or to a fault of its own, soon.
    private func runAll(_ machine: RecordedHost, _ what: String) async throws {
        let host = try machine.host()
        for check in NodeChecks.all {
            let begin = ContinuousClock.now
            var parameters = Self.required[check.name] ?? [:]
            parameters["walkSeconds"] = "1"
            parameters["answerSeconds"] = "0.05"
            do throws(BuiltInFault) {
                _ = try await check.run(parameters, on: host)
            } catch {
                #expect(error != .cancelled && !error.message.isEmpty, "\(check.name), \(what)")
            }
            #expect(ContinuousClock.now - begin < .seconds(10), "\(check.name), \(what)")
        }
    }

    private static let hostile: [(String, [UInt8])] = [
        ("empty", []), ("a line feed", [0x0A]), ("zero bytes", [UInt8](repeating: 0, count: 5000)),
        ("huge numbers", Array(String(repeating: "99999999999999999999999 ", count: 60).utf8)),
        ("negative numbers", Array(String(repeating: "-1 ", count: 60).utf8)),
        ("bytes that are no text", (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 0x80) }),
        (
            "huge values",
            Array(
                "some avg10=99999999999999 avg60=1e9 avg300=x total=99999999999999999999\nMemTotal: 99999999999999999999 kB\nmax\n7 (x) D 99999999999 -1\n"
                    .utf8)
        ),
        ("one endless line", [UInt8](repeating: 0x41, count: 300_000)),
    ]

    @Test(arguments: hostile.map(\.0)) func endsOnAnyText(_ name: String) async throws {
        let text = try #require(Self.hostile.first { $0.0 == name }).1
        let machine = try RecordedHost(["/sys/fs/cgroup/cgroup.controllers": "cpu memory pids io\n"])
        for path in Self.paths { try machine.put(path, bytes: text) }
        try await runAll(machine, name)
    }

    @Test func endsOnFilesWithoutEnd() async throws {
        let machine = try RecordedHost(["/sys/fs/cgroup/cgroup.controllers": "cpu memory pids io\n"])
        for path in Self.paths { try machine.putFIFO(path) }
        try await runAll(machine, "FIFOs")
    }

    @Test func endsOnAnEmptyMachine() async throws {
        let machine = try RecordedHost()
        let host = try machine.host()
        for check in NodeChecks.all where check.name != "reachability" {
            await #expect(throws: BuiltInFault.self, "\(check.name)") { try await check.run(on: host) }
        }
    }

    @Test func refusesParametersOutOfTheirRanges() async throws {
        let machine = try RecordedHost()
        let host = try machine.host()
        for check in NodeChecks.all {
            for parameter in check.declaration.parameters where parameter.kind != .string {
                for value in ["-1", "1e400", "nan", "99999999999999999999999", "1 ", "\u{0}"] {
                    var parameters = Self.required[check.name] ?? [:]
                    parameters[parameter.key] = value
                    await #expect(throws: BuiltInFault.self, "\(check.name) \(parameter.key)=\(value)") {
                        try await check.run(parameters, on: host)
                    }
                }
            }
        }
    }

    /// docs/operations/checks.md has a row for each, with each parameter and its default.
    @Test func isDocumented() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/operations/checks.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        for check in NodeChecks.all {
            let row = try #require(rows.first { $0.hasPrefix("| `\(check.name)` |") }, "\(check.name) has no row")
            for parameter in check.declaration.parameters {
                let entry = "`\(parameter.key)` (" + (parameter.defaultText ?? "")
                #expect(row.contains(entry), "\(check.name): \(entry)")
            }
        }
        #expect(rows.count == NodeChecks.all.count)
    }
}
