import AgentOperations
import Glibc
import RecordedHost
import TestSupport
import Testing

import class Foundation.FileManager

@Suite struct ProcessCheckTests {
    /// A line of /proc/PID/stat.
    private func stat(_ pid: Int, _ name: String, _ state: String, parent: Int = 1, ticks: Int = 10, threads: Int = 1, start: Int = 100)
        -> String
    {
        "\(pid) (\(name)) \(state) \(parent) 1 1 0 -1 0 0 0 0 0 \(ticks) 0 0 0 20 0 \(threads) 0 \(start) 1000 50 0\n"
    }

    @Test func tellsTasksThatHang() async throws {
        let machine = try RecordedHost(
            [
                "/proc/7/stat": stat(7, "ls", "D"),
                "/proc/7/stack": "[<0>] rpc_wait_bit_killable+0x1e/0xa0\n[<0>] __wait_on_bit+0x2c/0x90\n",
                "/proc/8/stat": stat(8, "mysqld", "S", threads: 3), "/proc/8/task/8/stat": stat(8, "mysqld", "S"),
                "/proc/8/task/9/stat": stat(9, "ib_io_rd", "D"), "/proc/8/task/9/wchan": "io_schedule",
                "/proc/8/task/10/stat": stat(10, "other", "S"), "/proc/8/cgroup": "0::/system.slice/mysql.service\n",
                "/proc/11/stat": stat(11, "moment", "D"), "/proc/12/stat": "12 (broken",
            ])
        machine.onSleep { try $0.put("/proc/11/stat", stat(11, "moment", "R")) }
        let finding = try await check("uninterruptibleTasks").run(on: machine.host()).fault()
        #expect(finding.severity == .warning && finding.number("tasks stuck in state D") == 2)
        #expect(
            finding.summary
                == "ls (pid 7) and 1 more hung in the kernel for 2 s or longer: rpc_wait_bit_killable ← __wait_on_bit.")
        #expect(finding.texts("thread 9 ib_io_rd of mysqld (pid 8, mysql.service)") == ["in io_schedule, its stack needs root"])
        try machine.put("/proc/11/stat", stat(11, "moment", "D"))
        machine.onSleep { try $0.put("/proc/11/stat", stat(11, "moment", "D", ticks: 11)) }
        let first = try await check("uninterruptibleTasks").run(["threads": "false", "tasksMin": "2"], on: machine.host())
        #expect(first.ruledOut == "1 task hangs in the kernel; of 3 processes, 1 task was in state D for a moment.")
    }

    @Test func tellsZombiesByTheirParents() async throws {
        let machine = try RecordedHost(["/proc/2/stat": stat(2, "bad init", "S"), "/proc/3/stat": stat(3, "gone", "Z", parent: 2)])
        for pid in 10..<16 { try machine.put("/proc/\(pid)/stat", stat(pid, "sh", "Z", parent: 2)) }
        machine.onSleep { try $0.put("/proc/3/stat", stat(3, "gone", "Z", parent: 2, start: 999)) }
        let finding = try await check("zombieProcesses").run(on: machine.host()).fault()
        #expect(finding.summary == "6 zombie processes, 6 of them children of bad init (pid 2).")
        let many = try await check("zombieProcesses").run(["zombiesMin": "8"], on: machine.host()).sentence()
        #expect(many == "7 processes of 8 are zombies; fewer than 8.")
    }

    @Test func tellsWhoComputes() async throws {
        let machine = try RecordedHost(
            [
                "/proc/7/stat": stat(7, "spin\u{1B}[2J", "R", ticks: 1000), "/proc/8/stat": stat(8, "calm", "S", ticks: 9000),
                "/proc/stat": "cpu 1\ncpu0 1\ncpu1 1\n",
            ])
        machine.onSleep {
            try $0.put("/proc/7/stat", stat(7, "spin\u{1B}[2J", "R", ticks: 1594))
            // Another process under the same number, and one that was there all the time and was not seen.
            try $0.put("/proc/8/stat", stat(8, "late", "R", ticks: 150, start: 86_400 * 100 + 50))
            try $0.put("/proc/9/stat", stat(9, "unseen", "S", ticks: 9999, start: 555))
        }
        let finding = try await check("runawayProcesses").run(on: machine.host()).fault()
        #expect(finding.summary == "spin?[2J (pid 7) used 198 % of a CPU within 3 s.")
        #expect(finding.number("CPUs") == 2)
        #expect(finding.number("late (pid 8) of one CPU") == 50)
        #expect(finding.number("unseen (pid 9) of one CPU") == nil)
        try machine.put("/proc/07/stat", stat(7, "twice", "S"))
        let quiet = try await check("runawayProcesses").run(on: machine.host()).sentence()
        #expect(quiet == "No process used 90 % of a CPU within 3 s.")
        await #expect(throws: BuiltInFault.self) { try await check("runawayProcesses").run(["sampleSeconds": "1e9"], on: machine.host()) }
        await #expect(throws: BuiltInFault.unreadable(path: "/proc", reason: "it is not there")) {
            try await check("runawayProcesses").run(on: RecordedHost().host())
        }
    }

    @Test func comparesOpenFilesWithTheirLimits() async throws {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            10                 20                 files\n"
        let machine = try RecordedHost(
            [
                "/proc/sys/fs/file-nr": "500\t0\t1000\n", "/proc/7/stat": stat(7, "leaky", "S"), "/proc/7/limits": limits,
                "/proc/8/stat": stat(8, "calm", "S"), "/proc/8/limits": limits, "/proc/8/fd/0": "",
            ])
        for descriptor in 0..<9 { try machine.putLink("/proc/7/fd/\(descriptor)", to: "/dev/null") }
        let finding = try await check("fileDescriptors").run(on: machine.host()).fault()
        #expect(finding.severity == .critical)
        #expect(finding.summary == "leaky (pid 7) has 9 of its 10 descriptors open.")
        let system = try await check("fileDescriptors").run(["systemPercent": "50", "processPercent": "95"], on: machine.host()).fault()
        #expect(system.summary == "The machine has 500 of 1000 file handles open (50 %).")
        let none = try await check("fileDescriptors").run(["processPercent": "95"], on: machine.host()).sentence()
        #expect(none == "The machine has 500 of 1000 file handles open (50 %); the fullest process, leaky (pid 7), 9 of 10.")
    }

    @Test func comparesTasksWithTheirLimits() async throws {
        let group = "/sys/fs/cgroup/system.slice/fork.service"
        let machine = try RecordedHost(
            [
                "/proc/loadavg": "0.1 0.2 0.3 1/100 5\n", "/proc/sys/kernel/pid_max": "4194304\n", "/proc/sys/kernel/threads-max": "1000\n",
                "/sys/fs/cgroup/cgroup.controllers": "pids\n", "\(group)/pids.max": "50\n", "\(group)/pids.current": "49\n",
                "\(group)/pids.events": "max 17\n", "/sys/fs/cgroup/user.slice/pids.max": "max\n",
                "/sys/fs/cgroup/user.slice/pids.current": "3\n",
            ])
        let finding = try await check("pidLimits").run(on: machine.host()).fault()
        #expect(finding.severity == .critical && finding.summary == "Fork.service has 49 of 50 tasks (98 %).")
        #expect(finding.number("forks refused in fork.service") == 17)
        let high = try await check("pidLimits").run(["usagePercent": "99"], on: machine.host()).sentence()
        #expect(high == "The machine has 100 of 1000 tasks; 1 control group with a limit, none at 99 %.")
        try machine.put("/proc/loadavg", "garbage")
        await #expect(throws: BuiltInFault.failed("/proc/loadavg is not what the kernel writes there")) {
            try await check("pidLimits").run(on: machine.host())
        }
    }

    @Test func passesOverWhatIsNoFile() async throws {
        let machine = try RecordedHost(["/proc/sys/fs/file-nr": "5\t0\t1000\n", "/proc/7/stat": stat(7, "a", "S")])
        try machine.putFIFO("/proc/8/stat")
        try machine.putFIFO("/proc/7/limits")
        try machine.putLink("/proc/7/fd/3", to: "/tmp/gone (deleted)")
        #expect(try await check("deletedOpenFiles").run(on: machine.host()).sentence().hasPrefix("0 deleted files still open in 1 process"))
        #expect(try await check("fileDescriptors").run(on: machine.host()).ruledOut != nil)
        await #expect(throws: BuiltInFault.self) { try await check("deletedOpenFiles").run(["mountpoint": "/a/../b"], on: machine.host()) }
        await #expect(throws: BuiltInFault.parameter("mountpoint", "\"/none\" is no folder of this node")) {
            try await check("deletedOpenFiles").run(["mountpoint": "/none"], on: machine.host())
        }
        await #expect(throws: BuiltInFault.self) { try await check("deletedOpenFiles").run(["bytesMin": "-1"], on: machine.host()) }
    }
}

/// The faults made on the test machine itself; these tests run as root.
@Suite struct ProcessFaultTests {
    @Test func seesADeletedFile() async throws {
        let child = try TestChild(
            "/bin/sh",
            ["-c", "exec 7>/var/tmp/kubediag-deleted-$$; rm /var/tmp/kubediag-deleted-$$; head -c 3000000 /dev/zero >&7; exec sleep 60"])
        defer { child.end() }
        let machine = try RecordedHost.machine()
        let look = try check("deletedOpenFiles")
        let finding = try await eventually { () -> Finding? in
            let outcome = try await look.run(["bytesMin": "1000000", "mountpoint": "/var/tmp"], on: machine)
            let file = outcome.finding?.evidence.first { $0.name.contains("kubediag-deleted-\(child.pid), descriptor 7") }
            guard outcome.ruledOut == nil, case .number(let bytes, unit: "bytes") = file?.value, bytes >= 3_000_000 else { return nil }
            return outcome.finding
        }
        #expect(finding.hint?.contains("/fd/") == true)
    }

    @Test func memoryIsNoDeletedFile() async throws {
        let script = "import os, time; os.write(os.memfd_create('kubediag-memory'), bytes(30_000_000)); time.sleep(60)"
        let child = try TestChild("/usr/bin/python3", ["-c", script])
        defer { child.end() }
        let machine = try RecordedHost.machine()
        let folder = "/proc/\(child.pid)/fd"
        _ = try await eventually { () -> String? in
            // The interpreter opens and closes files meanwhile: one that is gone is none of ours.
            guard let names = try? machine.files.names(in: folder),
                let name = names.first(where: { (try? machine.files.link("\(folder)/\($0)"))?.contains("kubediag-memory") == true }),
                let state = try? machine.files.text("/proc/\(child.pid)/fdinfo/\(name)")
            else { return nil }
            return state.contains("pos:\t30000000") ? name : nil
        }
        let outcome = try await check("deletedOpenFiles").run(["bytesMin": "0"], on: machine)
        #expect(outcome.finding?.evidence.contains { $0.name.contains("kubediag-memory") } == false)
    }

    @Test func seesAZombie() async throws {
        // The child of a shell that became a sleep, which waits for nobody.
        let child = try TestChild("/bin/sh", ["-c", "sleep 0 & exec sleep 60"])
        defer { child.end() }
        let machine = try RecordedHost.machine()
        let look = try check("zombieProcesses")
        let finding = try await eventually {
            let outcome = try await look.run(["zombiesMin": "1", "sampleSeconds": "0.1"], on: machine)
            return outcome.finding?.evidence.contains { $0.name.contains("(pid \(child.pid)") } == true ? outcome : nil
        }
        #expect(finding.ruledOut == nil)
    }

    @Test func aProcessOfWhichTheFirstThreadHasEndedIsAlive() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let script = """
            import ctypes, os, threading, time
            f = open('\(directory.path)/big', 'wb', buffering=0); f.write(bytes(3000000)); os.unlink(f.name)
            threading.Thread(target=time.sleep, args=(60,)).start()
            ctypes.CDLL(None).pthread_exit(None)
            """
        let child = try TestChild("/usr/bin/env", ["python3", "-c", script])
        defer { child.end() }
        let ends = try await eventually { try String(contentsOfFile: "/proc/\(child.pid)/stat", encoding: .utf8).contains(") Z ") }
        try #require(ends)
        let machine = try RecordedHost.machine()
        let zombies = try await check("zombieProcesses").run(["zombiesMin": "1", "sampleSeconds": "0.1"], on: machine)
        #expect(zombies.finding?.evidence.contains { $0.name.contains("(pid \(getpid())") } != true, "\(zombies)")
        let deleted = try await check("deletedOpenFiles").run(["bytesMin": "2000000"], on: machine).fault()
        #expect(deleted.evidence.contains { $0.name.hasPrefix("\(directory.path)/big, descriptor ") }, "\(deleted)")
    }

    @Test func seesARunaway() async throws {
        let child = try TestChild("/bin/sh", ["-c", "while :; do :; done"])
        defer { child.end() }
        let outcome = try await check("runawayProcesses").run(["sampleSeconds": "1", "cpuPercent": "10"], on: RecordedHost.machine())
        #expect(try outcome.fault().evidence.contains { $0.name.contains("(pid \(child.pid)") })
    }

    @Test func seesAFullDescriptorTable() async throws {
        let child = try TestChild("/bin/sleep", ["60"])
        defer { child.end() }
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/fd").count
        try ProcessTable.run("prlimit", "--pid", "\(child.pid)", "--nofile=\(open + 1):\(open + 1)")
        let finding = try await check("fileDescriptors").run(["processPercent": "20"], on: RecordedHost.machine()).fault()
        let own = finding.evidence.filter { $0.name.contains("sleep (pid \(child.pid)") }.map(\.value)
        // While it was starting it had more files open.
        guard case .number(let counted, unit: "") = own.first else { throw TimedOut() }
        #expect(counted >= 3 && Int(counted) <= open && own.last == .number(Double(open + 1), unit: ""))
    }

    @Test func seesATaskInStateD() async throws {
        // A parent waits for the child of vfork(2) in state D; perl's child sleeps.
        let child = try TestChild(
            "/usr/bin/perl", ["-e", "if (syscall(58) == 0) { syscall(157, 1, 9); sleep 60; syscall(231, 0) } sleep 60"])
        defer { child.end() }
        let machine = try RecordedHost.machine()
        let look = try check("uninterruptibleTasks")
        let finding = try await eventually {
            let outcome = try await look.run(["sampleSeconds": "0.2"], on: machine)
            return outcome.finding?.evidence.contains { $0.name.contains("perl (pid \(child.pid)") } == true ? outcome.finding : nil
        }
        #expect(finding.evidence.contains { $0.value == .text("x") || "\($0.value)".contains("vfork") }, "\(finding)")
    }

    @Test func seesTheLimitOfAGroup() async throws {
        let group = try TestControlGroup("pids", ["pids.max": "4"])
        defer { group.remove() }
        let child = try group.start("sleep 61 & sleep 61 & sleep 61 & exec sleep 61")
        defer { child.end() }
        let machine = try RecordedHost.machine()
        let look = try check("pidLimits")
        let finding = try await eventually {
            let outcome = try await look.run(on: machine)
            return outcome.finding?.number("tasks of \(group.path)") == 4 ? outcome.finding : nil
        }
        #expect(finding.severity == .critical)
        group.endAll()
    }
}
