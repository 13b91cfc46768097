import Foundation
import Testing

@testable import ProcessRunner

/// Control groups: what is written, on a tree of plain files; what is joined, killed and removed, on the kernel's where there is one.
@Suite struct ControlGroupTests {
    /// The group of this process where groups can be made in it.
    private let own: String? = ControlGroupTree.ownGroup("/proc/self").flatMap { access($0 + "/cgroup.procs", W_OK) == 0 ? $0 : nil }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func files(_ folder: TemporaryFolder, _ contents: [String: String]) throws {
        for (name, content) in contents { try content.write(toFile: folder.path + "/" + name, atomically: false, encoding: .utf8) }
    }

    @Test func settingsAreWrittenAndAMissingOneIsNamed() throws {
        let folder = try TemporaryFolder()
        try files(folder, ["memory.max": "max\n", "cpu.max": "max 100000\n"])
        let settings: [ControlGroup.Setting] = [
            .init("memory.max", "1048576"), .init("memory.swap.max", "0", isOptional: true), .init("cpu.max", "50000 100000"),
        ]
        try ControlGroup(path: folder.path, settings: settings).configure()
        #expect(try text(folder.path + "/memory.max") == "1048576")
        #expect(try text(folder.path + "/cpu.max") == "50000 100000")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/memory.swap.max"))
        #expect(throws: ProcessError.system(call: "write pids.max", errno: ENOENT)) {
            try ControlGroup(path: folder.path, settings: [.init("pids.max", "9")]).configure()
        }
    }

    @Test func aTreePassesOnWhatItHasAndHoldsNoProcess() throws {
        let folder = try TemporaryFolder()
        try files(folder, ["cgroup.controllers": "cpu io pids\n", "cgroup.subtree_control": "", "cgroup.procs": "", "cgroup.events": ""])
        let tree = try ControlGroupTree(preparing: folder.path)
        #expect(tree.controllers == ["cpu", "pids"] && tree.cause == "\(folder.path) has no memory controller")
        #expect(tree.group("x.1", []).path == folder.path + "/x.1")
        try files(folder, ["cgroup.procs": "17\n"])
        #expect(throws: ControlGroupTree.Unavailable.self) { try ControlGroupTree(preparing: folder.path) }
        #expect(throws: ControlGroupTree.Unavailable.self) { try ControlGroupTree(preparing: folder.path + "/none") }
    }

    @Test func theOwnGroupIsFoundUnderEveryMount() throws {
        let folder = try TemporaryFolder()
        let v1 = "30 20 0:25 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        for (mount, group, expected) in [
            ("31 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", "/system.slice/x.service", "/sys/fs/cgroup/system.slice/x.service"),
            ("31 20 0:26 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw", "/", "/sys/fs/cgroup/unified"),
            ("31 20 0:26 /kubepods/pod1 /sys/fs/cgroup ro - cgroup2 cgroup rw", "/kubepods/pod1/c", "/sys/fs/cgroup/c"),
            ("31 20 0:26 /elsewhere /sys/fs/cgroup ro - cgroup2 cgroup rw", "/kubepods/pod1", nil), ("", "/", nil),
        ] {
            try files(folder, ["mountinfo": v1 + mount + "\n", "cgroup": "4:memory:/a\n0::\(group)\n"])
            #expect(ControlGroupTree.ownGroup(folder.path) == expected)
        }
        try files(folder, ["mountinfo": v1, "cgroup": "4:memory:/a\n"])
        #expect(throws: ControlGroupTree.Unavailable.self) { try ControlGroupTree(delegatedTo: folder.path) }
    }

    @Test func countsAreReadFromFlatFiles() throws {
        let folder = try TemporaryFolder()
        try files(folder, ["memory.events": "low 0\noom 2\noom_kill 3\noom_group_kill 1\n"])
        #expect(ControlGroup.number("oom_kill", in: folder.path + "/memory.events") == 3)
        #expect(ControlGroup.number("max", in: folder.path + "/memory.events") == nil)
        #expect(ControlGroup.number("oom_kill", in: folder.path + "/none") == nil)
    }

    @Test func whateverLeavesGroupSessionAndMarkerEndsWithItsControlGroup() async throws {
        let runner = try ProcessRunner()
        let folder = try TemporaryFolder()
        var command = ProcessCommand(.file("/bin/sh"), environment: ["PATH": "/usr/bin:/bin"])
        command.arguments = [
            "-c",
            "env -i setsid sh -c 'echo $$ > \(folder.path)/pid; exec sleep 60' </dev/null >/dev/null 2>&1 & "
                + "while [ ! -s \(folder.path)/pid ]; do sleep 0.01; done; grep ^0:: /proc/self/cgroup",
        ]
        let group = ControlGroup(path: (own ?? folder.path) + "/kubediag-test-\(getpid())", settings: [])
        command.controlGroup = group
        guard own != nil else {
            // The folder of a test is no control group: the start fails by the name of what is missing, and leaves nothing.
            await #expect(throws: ProcessError.system(call: "open \(group.path)/cgroup.procs", errno: ENOENT)) {
                try await runner.run(command)
            }
            #expect(!FileManager.default.fileExists(atPath: group.path))
            return
        }
        let outcome = try await runner.run(command)
        #expect(String(decoding: outcome.standardOutput.bytes, as: UTF8.self).hasSuffix("/kubediag-test-\(getpid())\n"))
        let escaped = try await folder.pid("pid")
        #expect(ProcessIdentity(of: escaped)?.isRunning != true)
        #expect(!FileManager.default.fileExists(atPath: group.path))
        #expect(outcome.memoryKillCount == 0)
    }

    @Test func leftoversAreEndedByTheirPrefix() async throws {
        guard let own else {
            let folder = try TemporaryFolder()
            try files(folder, ["cgroup.controllers": "", "cgroup.subtree_control": "", "cgroup.procs": ""])
            for name in ["mine.1", "other.1"] { mkdir(folder.path + "/" + name, 0o700) }
            #expect(try ControlGroupTree(preparing: folder.path).endLeftovers(prefix: "mine.") == 1)
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/mine.1"))
            #expect(FileManager.default.fileExists(atPath: folder.path + "/other.1"))
            return
        }
        let root = ControlGroup(path: own + "/kubediag-left-\(getpid())", settings: [])
        close(try root.make())
        let tree = try ControlGroupTree(preparing: root.path)
        let group = tree.group("mine.1", [])
        close(try group.make())
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["60"]
        try process.run()
        #expect(ControlGroup.write("\(process.processIdentifier)", to: group.path + "/cgroup.procs") == 0)
        #expect(tree.endLeftovers(prefix: "mine.") == 1)
        process.waitUntilExit()
        #expect(process.terminationStatus == SIGKILL)
        #expect(!FileManager.default.fileExists(atPath: group.path))
        _ = root.end()
        #expect(!FileManager.default.fileExists(atPath: root.path))
    }
}
