import AgentOperations
import Foundation
import RecordedHost
import TestSupport
import Testing

@testable import AgentChecks

@Suite struct DiskCheckTests {
    private static let mountinfo = """
        27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        28 27 0:30 / /mnt/nfs rw - nfs4 server:/x rw
        29 27 0:31 / /proc rw - proc proc rw
        30 27 254:0 /x /bind rw - ext4 /dev/vda rw
        31 27 254:9 / /gone rw - ext4 /dev/vdz rw

        """

    /// The recorded machine's root is on the disk of the test machine, whose numbers it has.
    @Test func asksOnlyDisks() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo])
        let healthy = try await check("diskSpace").run(["availablePercent": "0"], on: machine.host()).sentence()
        #expect(healthy.hasPrefix("1 file system looked at, none below 0 % free; the fullest: / has"))
        await #expect(throws: BuiltInFault.parameter("mountpoint", "\"/none\" is no folder of this node")) {
            try await check("diskSpace").run(["mountpoint": "/none"], on: machine.host())
        }
        for bad in ["/a/../..", "relative", "/a\0b"] {
            await #expect(throws: BuiltInFault.self, "\(bad)") { try await check("diskSpace").run(["mountpoint": bad], on: machine.host()) }
        }
        try machine.put("/proc/self/mountinfo", "cut 1")
        await #expect(throws: BuiltInFault.self) { try await check("inodes").run(on: machine.host()) }
    }

    /// The kernel lists the root's file system behind those that were there when it was mounted.
    @Test func tellsTheFileSystemThatHoldsAPath() async throws {
        let first = "22 27 0:21 / /proc rw - proc proc rw\n23 27 0:22 / /sys rw - sysfs sysfs rw\n24 27 0:7 / /var/lib rw - tmpfs over rw\n"
        let machine = try RecordedHost(["/proc/self/mountinfo": first + Self.mountinfo])
        try machine.put("/var/lib/app/x", "")
        try machine.put("/variant/x", "")
        for (path, point) in [("/", "/"), ("/variant", "/"), ("/var/lib/app", "/var/lib"), ("/var/lib", "/var/lib")] {
            let sentence = try await check("diskSpace").run(["mountpoint": path, "availablePercent": "0"], on: machine.host()).sentence()
            #expect(sentence.contains("the fullest: \(point) has"), "\(path): \(sentence)")
        }
        try machine.put("/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n")
        await #expect(throws: BuiltInFault.failed("/proc/self/mountinfo names no file system that holds /variant")) {
            try await check("diskSpace").run(["mountpoint": "/variant"], on: machine.host())
        }
    }

    /// What fills a file system may lie in no folder of it.
    @Test func findsFilesThatLieInTheMountPointItself() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo])
        try machine.put("/core.bin", bytes: [UInt8](repeating: 1, count: 4_000_000))
        try machine.put("/var/log/a.log", bytes: [UInt8](repeating: 1, count: 1_000_000))
        let parameters = ["availablePercent": "100", "growthSeconds": "0", "mountpoint": "/"]
        let finding = try await check("diskSpace").run(parameters, on: machine.host()).fault()
        #expect(finding.summary.contains("; files directly in / hold most, 3.8 MiB"), "\(finding.summary)")
        #expect((finding.number("files directly in /") ?? 0) >= 4_000_000)
        let inodes = try await check("inodes").run(parameters, on: machine.host()).fault()
        #expect(inodes.number("files directly in /") == 1)
    }

    @Test func findsTheLargestFolders() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo])
        try machine.put("/var/lib/app/cache/big", bytes: [UInt8](repeating: 1, count: 3_000_000))
        try machine.put("/var/log/a.log", bytes: [UInt8](repeating: 1, count: 1_000_000))
        for number in 0..<40 { try machine.put("/var/spool/\(number)", "x") }
        try machine.putFIFO("/var/fifo")
        try machine.putLink("/var/loop", to: "/var")
        machine.onSleep { try $0.put("/var/log/b.log", bytes: [UInt8](repeating: 1, count: 500_000)) }
        let finding = try await check("diskSpace").run(["availablePercent": "100"], on: machine.host()).fault()
        #expect(finding.severity == .warning)
        #expect(finding.summary.contains("; the largest folder is /var/lib/app/cache with 2.9 MiB"), "\(finding.summary)")
        #expect(finding.summary.contains(", the fastest growing /var/log with"), "\(finding.summary)")
        #expect(finding.number("/var/log grows") ?? 0 >= 100_000)
        // /var/lib and /var/lib/app hold nothing else.
        #expect(finding.number("/var/lib") == nil && finding.number("/var/lib/app") == nil && finding.number("/var/log") != nil)
        let inodes = try await check("inodes").run(["availablePercent": "100", "growthSeconds": "0"], on: machine.host()).fault()
        #expect(inodes.number("/var/spool") == 40)
        let quick = try await check("inodes").run(["availablePercent": "100", "walkSeconds": "0"], on: machine.host()).fault()
        #expect(!quick.summary.contains("largest"))
    }

    @Test func whatIsCalledByNoTextIsWalked() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo, "/var/log/a.log": "x"])
        let path = Array("\(machine.root)/var/log/".utf8) + [0xFF, 0]
        let made = path.withUnsafeBytes { open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY | O_CLOEXEC, 0o600) }
        try #require(made >= 0)
        defer { close(made) }
        try #require(posix_fallocate(made, 0, 4 << 20) == 0)
        let finding = try await check("diskSpace").run(["availablePercent": "100", "growthSeconds": "0"], on: machine.host()).fault()
        #expect(finding.number("/var/log") ?? 0 >= 4_194_304)
        try machine.makeFolder("/\u{301}mark")
        // Its mount is found by the bytes of its path.
        _ = try await check("diskSpace").run(["availablePercent": "100", "mountpoint": "/\u{301}mark"], on: machine.host()).fault()
    }

    @Test func staysInItsTime() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo])
        for folder in 0..<60 { for file in 0..<20 { try machine.put("/var/\(folder)/\(file)", "") } }
        let finding = try await check("inodes").run(
            ["availablePercent": "100", "walkSeconds": "0.0001", "growthSeconds": "0"], on: machine.host()
        ).fault()
        #expect(finding.texts("walk") == ["cut at its limits: there may be larger folders"])
        #expect(finding.number("entries walked") ?? 0 < 1200)
    }

    @Test func aFolderOfManyFilesIsCutAtTheLimits() throws {
        let machine = try RecordedHost()
        for file in 0..<30 { try machine.put("/var/\(file)", "x") }
        let files = try machine.host().files
        func walk(_ entriesMax: Int) throws -> FolderWalk {
            try FolderWalk(HostPath("/var"), limits: FolderWalk.Limits(seconds: 60, entriesMax: entriesMax), now: 0, files)
        }
        let cut = try walk(10)
        #expect(!cut.isComplete && cut.direct.entries == 10)
        let whole = try walk(30)
        #expect(whole.isComplete && whole.direct.entries == 30 && whole.active.map(\.own.entries) == [30])
        #expect(try FolderWalk.again(whole.active, seconds: 60, files)[HostPath("/var")] == whole.direct)
        // Of what there is no time to count again, nothing is known.
        #expect(try FolderWalk.again(whole.active, seconds: 0, files).isEmpty)
    }

    @Test func otherFileSystemsAreNotAskedAndTheTimeIsKept() async throws {
        let machine = try RecordedHost(["/proc/self/mountinfo": Self.mountinfo + "40 27 254:0 /y /var/other rw - ext4 /dev/vda rw\n"])
        try machine.put("/var/other/big", bytes: [UInt8](repeating: 1, count: 3_000_000))
        try machine.put("/var/log/a", bytes: [UInt8](repeating: 1, count: 1_000_000))
        let builtIn = try check("diskSpace")
        let context = try BuiltInContext(
            builtIn.declaration, values: ["availablePercent": "100", "mountpoint": "/", "walkSeconds": "300", "growthSeconds": "300"],
            timeoutSeconds: 3)
        let finding = try await BuiltInExecution(builtIn, context, on: machine.host()).run().fault()
        #expect(finding.number("/var/other") == nil && finding.number("/var/log") != nil, "\(finding)")
    }

    private func row(_ name: String, requests: Int, milliseconds: Int, busy: Int, weighted: Int) -> String {
        "8 0 \(name) \(requests) 0 \(requests * 8) \(milliseconds) 0 0 0 0 2 \(busy) \(weighted)\n"
    }

    @Test func tellsSaturatedDisks() async throws {
        let calm = row("sda", requests: 10, milliseconds: 10, busy: 10, weighted: 10)
        let machine = try RecordedHost(
            [
                "/proc/diskstats": calm + row("sda1", requests: 9, milliseconds: 9, busy: 9, weighted: 9)
                    + row("loop0", requests: 9, milliseconds: 9, busy: 9, weighted: 9),
                "/sys/block/sda/size": "1", "/sys/block/loop0/size": "1",
            ])
        machine.onSleep { try $0.put("/proc/diskstats", row("sda", requests: 310, milliseconds: 60_010, busy: 3010, weighted: 45_010)) }
        let finding = try await check("diskSaturation").run(on: machine.host()).fault()
        #expect(finding.summary == "Disk sda has 15 requests in flight and is busy 100 % of the time; a request takes 200 ms.")
        #expect(finding.number("sda requests") == 100)
        try machine.put("/proc/diskstats", calm)
        machine.onSleep { try $0.put("/proc/diskstats", row("sda", requests: 310, milliseconds: 310, busy: 300, weighted: 310)) }
        #expect(
            try await check("diskSaturation").run(on: machine.host()).sentence().hasPrefix(
                "1 disk watched for 3 s, none saturated; the busiest: sda"))
        // Counters that began again are no load.
        machine.onSleep { try $0.put("/proc/diskstats", row("sda", requests: 0, milliseconds: 0, busy: 0, weighted: 0)) }
        #expect(try await check("diskSaturation").run(on: machine.host()).finding?.number("sda requests in flight") == 0)
        try machine.remove("/proc/diskstats")
        await #expect(throws: BuiltInFault.unreadable(path: "/proc/diskstats", reason: "it is not there")) {
            try await check("diskSaturation").run(on: machine.host())
        }
    }
}

/// The faults made on the test machine itself; these tests run as root.
@Suite struct DiskFaultTests {
    private func withTemporaryFileSystem(_ options: String, _ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/kubediag-fill-\(UUID().uuidString.prefix(8))"
        try ProcessTable.run("mkdir", "-p", folder)
        defer { _ = rmdir(folder) }
        try ProcessTable.run("mount", "-t", "tmpfs", "-o", options, "kubediag", folder)
        defer { try? ProcessTable.run("umount", folder) }
        try await body(folder)
    }

    @Test func seesAFullFileSystem() async throws {
        try await withTemporaryFileSystem("size=4m") { folder in
            let machine = try RecordedHost.machine()
            #expect(try await check("diskSpace").run(["mountpoint": folder], on: machine).ruledOut != nil)
            try ProcessTable.run("mkdir", "-p", "\(folder)/logs/app")
            try Data(count: 4_100_000).write(to: URL(fileURLWithPath: "\(folder)/logs/app/out.log"))
            let finding = try await check("diskSpace").run(["mountpoint": folder, "growthSeconds": "0"], on: machine).fault()
            #expect(finding.severity == .critical && finding.summary.hasPrefix("\(folder) has "), "\(finding.summary)")
            #expect(finding.number("\(folder)/logs/app") ?? 0 >= 4_100_000)
        }
    }

    @Test func aLinkLeadsToItsFileSystem() async throws {
        try await withTemporaryFileSystem("size=4m") { folder in
            let machine = try RecordedHost.machine()
            let link = folder + ".link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder)
            defer { unlink(link) }
            let holder = try TestChild(
                "/bin/sh",
                ["-c", "exec 9> \(folder)/big; head -c 3000000 /dev/zero >&9; rm \(folder)/big; touch \(folder)/done; exec sleep 60"])
            defer { holder.end() }
            #expect(try await eventually { FileManager.default.fileExists(atPath: folder + "/done") })
            let space = try await check("diskSpace").run(["mountpoint": link, "availablePercent": "60", "growthSeconds": "0"], on: machine)
                .fault()
            #expect(space.summary.hasPrefix("\(folder) has "), "\(space.summary)")
            let deleted = try await check("deletedOpenFiles").run(["mountpoint": link, "bytesMin": "2000000"], on: machine).fault()
            #expect(deleted.summary.contains("\(folder)/big of pid \(holder.pid)"), "\(deleted.summary)")
            holder.end()
        }
    }

    @Test(arguments: ["diskSpace", "inodes"]) func whatHasNoLimitIsNotFull(name: String) async throws {
        let outcome = try await check(name).run(["mountpoint": "/proc"], on: RecordedHost.machine())
        #expect(outcome.ruledOut?.hasPrefix("/proc is a file system (proc) that counts no ") == true, "\(outcome)")
    }

    @Test func seesAFileSystemWithoutInodes() async throws {
        try await withTemporaryFileSystem("size=4m,nr_inodes=50") { folder in
            for number in 0..<49 { try Data().write(to: URL(fileURLWithPath: "\(folder)/\(number)")) }
            let outcome = try await check("inodes").run(["mountpoint": folder + "/0", "growthSeconds": "0"], on: RecordedHost.machine())
            #expect(try outcome.fault().summary.hasPrefix("\(folder) has 0 (0 %) inodes free"), "\(outcome)")
        }
    }

    @Test func watchesTheRealDisks() async throws {
        let outcome = try await check("diskSaturation").run(["sampleSeconds": "0.2"], on: RecordedHost.machine())
        #expect(outcome.finding != nil)
    }
}
