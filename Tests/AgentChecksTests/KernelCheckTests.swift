import AgentOperations
import Glibc
import RecordedHost
import TestSupport
import Testing

@Suite struct KernelCheckTests {
    private func log(_ lines: [(Int, String)]) -> String {
        lines.enumerated().map { "3,\($0),\($1.0 * 1_000_000),-;\($1.1)\n" }.joined()
    }

    @Test func tellsWhatTheKernelLogged() async throws {
        let segfault = "app[9]: segfault at 0 ip 0 sp 0 error 4"
        let machine = try RecordedHost(
            [
                "/dev/kmsg": log([
                    (10, "BUG: unable to handle page fault"), (86_000, "INFO: task jbd2/sda1-8:312 blocked for more than 120 seconds."),
                    (86_100, "blk_update_request: I/O error, dev sda, sector 5"),
                    (86_200, "blk_update_request: I/O error, dev sda, sector \u{1B}7"),
                    (86_300, segfault),
                ])
            ])
        let finding = try await check("kernelLog").run(on: machine.host()).fault()
        #expect(finding.severity == .critical)
        #expect(
            finding.summary
                == "The kernel logged in the last 60 min: 2 × I/O error, 1 × hung task. blk_update_request: I/O error, dev sda, sector 5")
        #expect(finding.number("I/O error") == 2 && finding.number("kernel oops") == nil && finding.number("crash of a program") == 1)
        #expect(finding.hint?.contains("smartctl") == true)
        for which in ["first", "last"] { #expect(finding.evidence.contains { $0.name.hasPrefix("\(which) I/O error, ") }) }
        #expect(!finding.evidence.contains { $0.name.hasPrefix("first hung task") }, "it is the only one")
        let disk = try await check("kernelLog").run(["areas": "disk"], on: machine.host()).fault()
        #expect(disk.summary.contains("2 × I/O error.") && disk.number("hung task") == nil)
        let hung = try await check("kernelLog").run(["areas": "hardware, kernel"], on: machine.host()).fault()
        #expect(hung.summary.contains("1 × hung task.") && hung.number("I/O error") == nil)
        #expect(
            try await check("kernelLog").run(["areas": "memory,network"], on: machine.host()).sentence().hasSuffix(
                "none of them a fault of memory or network."))
        for wrong in ["disks", "disk,", "Disk"] {
            await #expect(throws: BuiltInFault.self, "\(wrong)") { try await check("kernelLog").run(["areas": wrong], on: machine.host()) }
        }
        let quiet = try await check("kernelLog").run(["sinceSeconds": "110"], on: machine.host()).sentence()
        #expect(quiet == "1 message of the kernel in the last 110 s, none of them a fault.")
        let one = try await check("kernelLog").run(["sinceSeconds": "110", "crashesMin": "1"], on: machine.host()).fault()
        #expect(one.severity == .warning)
        try machine.remove("/dev/kmsg")
        await #expect(throws: BuiltInFault.unreadable(path: "/dev/kmsg", reason: "it is not there")) {
            try await check("kernelLog").run(on: machine.host())
        }
    }

    @Test func readsTheJournalWhereTheBufferCanNotBeRead() async throws {
        let machine = try RecordedHost()
        try machine.putTool(
            "journalctl",
            """
            #!/bin/sh
            case "$*" in *--since=-3600s*) ;; *) exit 1 ;; esac
            echo '{"MESSAGE":"EXT4-fs error (device sda1): bad","PRIORITY":"3","_SOURCE_MONOTONIC_TIMESTAMP":"86000000000"}'
            echo '{"MESSAGE":"EXT4-fs error (device sda1): old","PRIORITY":"3","_SOURCE_MONOTONIC_TIMESTAMP":"1000000"}'
            """)
        let finding = try await check("kernelLog").run(on: machine.host(hasMachineTools: true)).fault()
        #expect(finding.number("file system error") == 1)
        await #expect(throws: BuiltInFault.unreadable(path: "/dev/kmsg", reason: "it is not there")) {
            try await check("kernelLog").run(["sinceSeconds": "60"], on: machine.host(hasMachineTools: true))
        }
    }

    @Test func readsTheRealLog() async throws {
        let outcome = try await check("kernelLog").run(["sinceSeconds": "2592000"], on: RecordedHost.machine())
        #expect(outcome.finding != nil)
    }

    @Test func countsHardwareErrors() async throws {
        let mc = "/sys/devices/system/edac/mc/mc0"
        let machine = try RecordedHost(
            [
                "\(mc)/ce_count": "5\n", "\(mc)/ue_count": "0\n", "\(mc)/dimm3/dimm_ce_count": "5\n", "\(mc)/dimm3/dimm_ue_count": "0\n",
                "\(mc)/dimm3/dimm_label": "CPU_SrcID#0_Ha#0_Chan#1_DIMM#0\n", "\(mc)/dimm4/dimm_ce_count": "0\n",
                "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "2\n", "/dev/kmsg": "",
            ])
        let finding = try await check("hardwareErrors").run(on: machine.host()).fault()
        #expect(finding.severity == .warning)
        #expect(finding.summary == "The memory controllers count 5 correctable errors, most in CPU_SrcID#0_Ha#0_Chan#1_DIMM#0.")
        #expect(finding.number("times a core was throttled for heat") == 2)
        #expect(try await check("hardwareErrors").run(["correctableMin": "6"], on: machine.host()).ruledOut != nil)
        try machine.put("\(mc)/ue_count", "1\n")
        #expect(try await check("hardwareErrors").run(on: machine.host()).fault().severity == .critical)
        // Without the log the controllers still count; without both nothing was looked at.
        try machine.remove("/dev/kmsg")
        #expect(try await check("hardwareErrors").run(on: machine.host()).fault().severity == .critical)
        try machine.remove("/sys")
        await #expect(throws: BuiltInFault.self) { try await check("hardwareErrors").run(on: machine.host()) }
        try machine.put("/dev/kmsg", log([(86_000, "mce: [Hardware Error]: Machine check events logged")]))
        #expect(try await check("hardwareErrors").run(on: machine.host()).fault().summary.contains("logged 1 hardware error"))
    }

    private static let mountinfo = """
        27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,errors=remount-ro
        28 27 254:1 / /data rw,relatime - ext4 /dev/vdb STATE,errors=remount-ro
        29 27 254:1 /sub /data\\040bind rw - ext4 /dev/vdb STATE
        30 27 254:2 / /media/dvd ro - iso9660 /dev/sr0 ro
        31 27 254:3 / /backup ro - ext4 /dev/vdc ro

        """

    @Test func tellsMountsThatTheKernelSetReadOnly() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo.replacing("STATE", with: "rw")])
        #expect(
            try await check("readOnlyMounts").run(on: machine.host()).sentence()
                == "3 file systems on disks, none read-only that was mounted for writing.")
        try machine.put("/etc/fstab", "/dev/vdc /backup ext4 defaults 0 2\n")
        #expect(try await check("readOnlyMounts").run(on: machine.host()).fault().summary == "/backup (ext4 on /dev/vdc) is read-only.")
        try machine.put("/etc/fstab", "/dev/vdc /backup ext4 ro 0 2\n")
        try machine.put("/proc/self/mountinfo", Self.mountinfo.replacing("STATE", with: "ro"))
        let finding = try await check("readOnlyMounts").run(on: machine.host()).fault()
        #expect(finding.severity == .critical && finding.summary == "/data (ext4 on /dev/vdb) is read-only.")
        #expect(try await check("readOnlyMounts").run(["mountpoint": "/media/dvd"], on: machine.host()).fault().summary.contains("iso9660"))
        #expect(
            try await check("readOnlyMounts").run(["mountpoint": "/"], on: machine.host()).sentence()
                == "/ (ext4 on /dev/vda) is mounted for writing.")
        await #expect(throws: BuiltInFault.parameter("mountpoint", "\"/none\" is no mount point of this node")) {
            try await check("readOnlyMounts").run(["mountpoint": "/none"], on: machine.host())
        }
        // What ext4 says since Linux 6.14: nothing but that.
        try machine.put("/proc/self/mountinfo", Self.mountinfo.replacing("STATE", with: "rw,emergency_ro"))
        for parameters in [[:], ["mountpoint": "/data"]] {
            let emergency = try await check("readOnlyMounts").run(parameters, on: machine.host()).fault()
            #expect(emergency.severity == .critical && emergency.summary == "/data (ext4 on /dev/vdb) is read-only.")
            #expect(emergency.hint?.contains("The kernel does this") == true)
        }
        // Somebody mounted it so.
        let wanted = try await check("readOnlyMounts").run(["mountpoint": "/backup"], on: machine.host()).fault()
        #expect(wanted.severity == .warning && wanted.hint?.contains("somebody mounted it so") == true)
        try machine.put("/proc/self/mountinfo", "")
        await #expect(throws: BuiltInFault.self) { try await check("readOnlyMounts").run(on: machine.host()) }
    }

    @Test func seesARealReadOnlyFileSystem() async throws {
        let folder = "/tmp/kubediag-ro-\(getpid())"
        try ProcessTable.run("mkdir", "-p", folder)
        defer { _ = rmdir(folder) }
        try ProcessTable.run("mount", "-t", "tmpfs", "-o", "size=64k", "kubediag", folder)
        defer { try? ProcessTable.run("umount", folder) }
        let machine = try RecordedHost.machine()
        #expect(try await check("readOnlyMounts").run(["mountpoint": folder], on: machine).ruledOut != nil)
        try ProcessTable.run("mount", "-o", "remount,ro", folder)
        #expect(try await check("readOnlyMounts").run(["mountpoint": folder + "/"], on: machine).fault().severity == .warning)
        #expect(try await check("readOnlyMounts").run(on: machine).ruledOut != nil)
    }

    private func login(_ type: UInt8, _ user: String, _ seconds: Int) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: 384)
        record[0] = type
        record.replaceSubrange(44..<(44 + user.utf8.count), with: user.utf8)
        record.replaceSubrange(76..<81, with: "6.1.0".utf8)
        for byte in 0..<4 { record[340 + byte] = UInt8(truncatingIfNeeded: seconds >> (8 * byte)) }
        return record
    }

    @Test func tellsStartsAndCrashes() async throws {
        let machine = try RecordedHost(["/proc/sys/kernel/osrelease": "6.1.0-13-amd64\n"], uptimeSeconds: 3600)
        let now = 1_790_000_000 + 3600
        let alone = try await check("bootHistory").run(on: machine.host()).fault()
        #expect(
            alone.severity == .warning
                && alone.summary == "The machine was started 1 time in the last 24 h; it is up for 60 min with kernel 6.1.0-13-amd64.")
        #expect(alone.hint?.hasPrefix("What was before is not recorded") == true)
        try machine.put(
            "/var/log/wtmp",
            bytes: login(2, "reboot", now - 50_000) + login(7, "root", now - 40_000) + login(2, "reboot", now - 20_000)
                + login(1, "shutdown", now - 3700) + login(2, "reboot", now - 3600))
        try machine.put("/sys/fs/pstore/dmesg-efi-1", "x")
        let finding = try await check("bootHistory").run(on: machine.host()).fault()
        #expect(finding.summary.hasPrefix("The machine was started 3 times in the last 24 h, 1 of them without a shutdown before;"))
        #expect(finding.texts("left by a crash") == ["dmesg-efi-1"])
        #expect(finding.texts("started 5.6 h ago") == ["6.1.0, without a shutdown before"])
        let short = try await check("bootHistory").run(["sinceSeconds": "60"], on: machine.host()).sentence()
        #expect(short == "The machine is up for 60 min with kernel 6.1.0-13-amd64; 0 starts in the last 60 s.")
        #expect(try await check("bootHistory").run(["sinceSeconds": "60"], on: RecordedHost.machine()).finding != nil)
        try machine.put("/var/log/wtmp", "short")
        #expect(try await check("bootHistory").run(on: machine.host()).fault().severity == .warning)
    }

    private static let show = """
        #!/bin/sh
        case "$*" in
        *-fail*) echo 'System has not been booted with systemd as init system (PID 1).' >&2; exit 1 ;;
        *nope*) printf 'Id=nope.service\\nLoadState=not-found\\nActiveState=inactive\\n'; exit 0 ;;
        esac
        cat <<'END'
        Id=nginx.service
        ActiveState=failed
        SubState=failed
        Result=exit-code
        ExecMainStatus=203
        NRestarts=1
        StateChangeTimestampMonotonic=86340000000

        Id=app.service
        ActiveState=activating
        SubState=auto-restart
        Result=exit-code
        NRestarts=812

        Id=ssh.service
        ActiveState=active
        SubState=running
        NRestarts=0

        END
        """

    @Test func tellsFailedAndFlappingUnits() async throws {
        let machine = try RecordedHost()
        await #expect(throws: BuiltInFault.toolMissing(tool: "systemctl", package: "systemd")) {
            try await check("failedUnits").run(on: machine.host())
        }
        try machine.putTool("systemctl", Self.show)
        let host = try machine.host(hasMachineTools: true)
        let finding = try await check("failedUnits").run(on: host).fault()
        #expect(finding.summary == "1 unit has failed: nginx.service; 1 unit flaps: app.service was restarted 812 times.")
        #expect(finding.texts("nginx.service") == ["failed (failed), result exit-code, exit status 203, 1 restarts, for 60 s"])
        await #expect(throws: BuiltInFault.parameter("unit", "\"nope.service\" is no unit of this node")) {
            try await check("failedUnits").run(["unit": "nope.service"], on: host)
        }
        await #expect(throws: BuiltInFault.unavailable("systemctl: System has not been booted with systemd as init system (PID 1).")) {
            try await check("failedUnits").run(["unit": "x-fail"], on: host)
        }
        for name in ["--version", "a b", "$(id)", "../x"] {
            await #expect(throws: BuiltInFault.self, "\(name)") { try await check("failedUnits").run(["unit": name], on: host) }
        }
        try machine.putTool("systemctl", "#!/bin/sh\nprintf 'Id=a.service\\nActiveState=active\\n'\n")
        #expect(try await check("failedUnits").run(on: host).sentence() == "1 unit of systemd, none failed, none restarted 5 times.")
        for nonsense in ["", "garbage", "Id=", "ActiveState=failed"] {
            try machine.putTool("systemctl", "#!/bin/sh\necho '\(nonsense)'\n")
            await #expect(throws: BuiltInFault.failed("systemctl named no unit"), "\(nonsense)") {
                try await check("failedUnits").run(on: host)
            }
        }
    }
}
