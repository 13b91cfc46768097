import AgentOperations
import Glibc
import RecordedHost
import TestSupport
import Testing

import class Foundation.FileManager

@Suite struct MemoryCheckTests {
    private static let id = String(repeating: "0123abcd", count: 8)
    private static let group = "/kubepods.slice/kubepods-pod2c48913c_b29f_11e7_9350_020968147796.slice/cri-containerd-\(id).scope"

    private static func log(_ seconds: Int) -> String {
        let time = seconds * 1_000_000
        return """
            4,10,\(time),-;java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999
            6,11,\(time),-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=\(group),task_memcg=\(group),task=java,pid=77,uid=0
             SUBSYSTEM=mm
            3,12,\(time),-;Memory cgroup out of memory: Killed process 77 (java) total-vm:3000kB, anon-rss:2048kB, file-rss:0kB

            """
    }

    @Test func tellsKillsInAContainer() async throws {
        let machine = try RecordedHost(
            [
                "/dev/kmsg": "6,1,0,-;Linux version 6.1\n" + Self.log(86_000), "/proc/vmstat": "oom_kill 3\n",
                "/sys/fs/cgroup/cgroup.controllers": "cpu memory\n", "/sys/fs/cgroup\(Self.group)/memory.events.local": "oom_kill 1\n",
            ])
        let finding = try await check("oomKills").run(on: machine.host()).fault()
        #expect(finding.severity == .warning)
        #expect(
            finding.summary
                == "1 process was killed for want of memory in the last 60 min; the last was java (pid 77), 7 min ago, in container 0123abcd0123."
        )
        #expect(finding.texts("killed").first?.contains("2 MiB") == true)
        #expect(finding.number("kills since the machine started") == 3)
        #expect(finding.number("kills in container 0123abcd0123 since it was made") == 1)
        let whole = try await check("oomKills").run(["scope": "machine"], on: machine.host()).sentence()
        #expect(whole == "No process was killed for want of the machine's memory in the last 60 min, 3 since the machine started.")
        let old = try await check("oomKills").run(["sinceSeconds": "60"], on: machine.host()).sentence()
        #expect(old == "No process was killed for want of memory in the last 60 s, 3 since the machine started.")
    }

    @Test func failsWhereItCanNotLook() async throws {
        let machine = try RecordedHost(["/proc/vmstat": "oom_kill 0\n"])
        await #expect(throws: BuiltInFault.unreadable(path: "/dev/kmsg", reason: "it is not there")) {
            try await check("oomKills").run(on: machine.host())
        }
        try machine.putFIFO("/dev/kmsg")
        await #expect(throws: BuiltInFault.self) { try await check("oomKills").run(on: machine.host()) }
        await #expect(throws: BuiltInFault.self) { try await check("oomKills").run(["sinceSeconds": "-1"], on: machine.host()) }
        await #expect(throws: BuiltInFault.self) { try await check("oomKills").run(["sinceSeconds": "1e300"], on: machine.host()) }
    }

    private static let meminfo = "MemTotal: 8000000 kB\nMemFree: 100000 kB\nMemAvailable: AVAILABLE kB\nAnonPages: 7000000 kB\n"

    private static func pressure(_ some: String, _ full: String) -> String {
        "some avg10=1.00 avg60=\(some) avg300=2.00 total=5\nfull avg10=0.50 avg60=\(full) avg300=1.00 total=4\n"
    }

    private func stat(_ pid: Int, _ name: String, resident: Int) -> String {
        "\(pid) (\(name)) S 1 1 1 0 -1 0 0 0 0 0 10 10 0 0 20 0 1 0 100 1000 \(resident) 0\n"
    }

    @Test func tellsMemoryPressureAndWhoWaits() async throws {
        let machine = try RecordedHost(
            [
                "/proc/pressure/memory": Self.pressure("23.40", "6.00"),
                "/proc/meminfo": Self.meminfo.replacing("AVAILABLE", with: "2000000"),
                "/sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
                "/sys/fs/cgroup/system.slice/memory.pressure": Self.pressure("50.00", "1.00"),
                "/sys/fs/cgroup/system.slice/db.service/memory.pressure": Self.pressure("45.00", "1.00"),
                "/sys/fs/cgroup/system.slice/web.service/memory.pressure": Self.pressure("0.00", "0.00"),
                "/proc/7/stat": stat(7, "small", resident: 10), "/proc/8/stat": stat(8, "large", resident: 500_000),
                "/proc/8/cgroup": "0::/system.slice/db.service\n",
            ])
        let finding = try await check("memoryPressure").run(on: machine.host()).fault()
        #expect(finding.severity == .warning)
        #expect(
            finding.summary
                == "Tasks wait for memory 23.4 % of 60 s, all of them 6 %; 1.9 GiB of 7.6 GiB are available; most of all db.service.")
        #expect(finding.number("db.service waits, of 60 s") == 45)
        #expect(finding.number("large (pid 8, db.service) resident") == 2_048_000_000)
        #expect(finding.number("web.service waits, of 60 s") == nil)
        try machine.put("/proc/pressure/memory", Self.pressure("1.00", "0.00"))
        #expect(try await check("memoryPressure").run(on: machine.host()).sentence().hasPrefix("No memory pressure: tasks wait"))
        try machine.put("/proc/meminfo", Self.meminfo.replacing("AVAILABLE", with: "100000"))
        #expect(try await check("memoryPressure").run(on: machine.host()).fault().severity == .critical)
        let lower = try await check("memoryPressure").run(["availablePercent": "1"], on: machine.host())
        #expect(lower.ruledOut != nil)
    }

    @Test func tellsOtherPressure() async throws {
        let machine = try RecordedHost(
            [
                "/proc/pressure/cpu": "some avg10=90.00 avg60=10.00 avg300=2.00 total=5\n",
                "/proc/pressure/io": Self.pressure("1.00", "12.00"),
            ])
        #expect(try await check("cpuPressure").run(on: machine.host()).sentence() == "No cpu pressure: tasks wait for a CPU 10 % of 60 s.")
        #expect(
            try await check("cpuPressure").run(["window": "10"], on: machine.host()).fault().summary == "Tasks wait for a CPU 90 % of 10 s."
        )
        #expect(try await check("ioPressure").run(on: machine.host()).fault().severity == .warning)
        try machine.remove("/proc/pressure/io")
        await #expect(throws: BuiltInFault.self) { try await check("ioPressure").run(on: machine.host()) }
        try machine.put("/proc/pressure/io", "nonsense")
        await #expect(throws: BuiltInFault.failed("/proc/pressure/io is not what the kernel writes there")) {
            try await check("ioPressure").run(on: machine.host())
        }
    }

    @Test func comparesGroupsWithTheirLimits() async throws {
        let folder = "/sys/fs/cgroup\(Self.group)"
        let machine = try RecordedHost(
            [
                "/sys/fs/cgroup/cgroup.controllers": "memory\n", "\(folder)/memory.max": "1073741824\n",
                "\(folder)/memory.current": "1063004406\n", "\(folder)/memory.stat": "anon 1\ninactive_file 10737418\n",
                "\(folder)/memory.events": "low 0\nhigh 0\nmax 42\noom 1\noom_kill 1\n", "\(folder)/cgroup.procs": "",
                "/sys/fs/cgroup/system.slice/a.service/memory.max": "max\n",
                "/sys/fs/cgroup/system.slice/a.service/memory.current": "99999999999\n",
            ])
        let finding = try await check("cgroupMemory").run(on: machine.host()).fault()
        #expect(finding.severity == .critical)
        #expect(finding.summary == "container 0123abcd0123 uses 1004 MiB of its 1 GiB of memory (98 %).")
        #expect(finding.number("container 0123abcd0123 times at its limit") == 42)
        let higher = try await check("cgroupMemory").run(["usagePercent": "99"], on: machine.host()).sentence()
        #expect(higher == "1 control group has a memory limit; the fullest, container 0123abcd0123, is at 98 %.")
        await #expect(throws: BuiltInFault.unavailable("/sys/fs/cgroup has no memory controller, of cgroup v2 or v1")) {
            try await check("cgroupMemory").run(on: RecordedHost().host())
        }
    }

    @Test func watchesThrottling() async throws {
        let folder = "/sys/fs/cgroup/system.slice/slow.service"
        let machine = try RecordedHost(
            [
                "/sys/fs/cgroup/cgroup.controllers": "cpu\n",
                "\(folder)/cpu.stat": "usage_usec 1\nnr_periods 100\nnr_throttled 10\nthrottled_usec 1000000\n",
            ])
        let quiet = try await check("cpuThrottling").run(on: machine.host()).sentence()
        #expect(quiet == "1 control group has a CPU quota; none used it up in 25 % of its periods within 5 s.")
        machine.onSleep {
            try $0.put("\(folder)/cpu.stat", "usage_usec 1\nnr_periods 150\nnr_throttled 40\nthrottled_usec 3500000\n")
        }
        let finding = try await check("cpuThrottling").run(on: machine.host()).fault()
        #expect(finding.summary == "slow.service is throttled in 60 % of its CPU periods.")
        #expect(finding.number("slow.service time throttled") == 2.5)
    }
}

/// The faults made on the test machine itself; these tests run as root.
@Suite(.serialized) struct MemoryFaultTests {
    @Test func seesARealKill() async throws {
        let group = try TestControlGroup("memory", ["memory.limit_in_bytes": "16777216", "memory.max": "16777216"])
        defer { group.remove() }
        // Doubles a text until the kernel ends it.
        let status = try await group.run("a=x; while :; do a=$a$a; done")
        #expect(status == 9)
        let finding = try await check("oomKills").run(["sinceSeconds": "60"], on: RecordedHost.machine()).fault()
        #expect(finding.summary.contains("(pid "))
        #expect(finding.texts("killed").contains { $0.contains(group.name) }, "\(finding)")
    }

    @Test func seesARealGroupAtItsLimit() async throws {
        let group = try TestControlGroup("memory", ["memory.limit_in_bytes": "33554432", "memory.max": "33554432"])
        defer { group.remove() }
        let child = try group.start("a=$(head -c 14000000 /dev/zero | tr '\\0' x); exec sleep 60 \"${#a}\" 2>/dev/null || sleep 60")
        defer { child.end() }
        let machine = try RecordedHost.machine()
        let look = try check("cgroupMemory")
        let finding = try await eventually {
            let outcome = try await look.run(["usagePercent": "1"], on: machine)
            return outcome.finding?.evidence.contains { $0.name.contains(group.name) } == true && outcome.ruledOut == nil
                ? outcome.finding : nil
        }
        #expect(finding.number("\(group.path) limit") == 33_554_432)
    }

    @Test func seesRealThrottling() async throws {
        let group = try TestControlGroup("cpu", ["cpu.cfs_quota_us": "10000", "cpu.max": "10000 100000"])
        defer { group.remove() }
        let child = try group.start("while :; do :; done")
        defer { child.end() }
        let outcome = try await check("cpuThrottling").run(["sampleSeconds": "2"], on: RecordedHost.machine())
        let finding = try outcome.fault()
        #expect(finding.number("\(group.path) periods throttled") ?? 0 >= 25)
    }

    @Test func looksAtTheRealMachine() async throws {
        let machine = try RecordedHost.machine()
        for name in ["memoryPressure", "cpuPressure", "ioPressure"] {
            let outcome = try await check(name).run(on: machine)
            #expect(outcome.finding?.evidence.isEmpty == false, "\(name)")
        }
    }
}
