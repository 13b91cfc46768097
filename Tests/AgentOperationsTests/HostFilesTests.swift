import AgentOperations
import Glibc
import RecordedHost
import Testing

@Suite struct HostFilesTests {
    @Test func readsWithinBounds() async throws {
        let machine = try RecordedHost(["/proc/meminfo": "MemTotal: 1 kB\n", "/proc/empty": ""])
        let files = try machine.host().files
        #expect(try files.text("/proc/meminfo") == "MemTotal: 1 kB\n")
        #expect(try files.text("/proc/meminfo", bytesMax: 8) == "MemTotal")
        #expect(try files.read("/proc/empty").isEmpty)
        #expect(throws: HostFiles.Problem.absent(path: "/proc/absent")) { try files.read("/proc/absent") }
        #expect(throws: HostFiles.Problem.absent(path: "/proc/meminfo/x")) { try files.read("/proc/meminfo/x") }
    }

    @Test func staysBelowItsRoot() throws {
        let machine = try RecordedHost(["/etc/hostname": "recorded\n"])
        try machine.putLink("/etc/absolute", to: "/etc/hostname")
        try machine.putLink("/etc/up", to: "../../../../../../../etc/hostname")
        let files = try machine.host().files
        #expect(try files.text("/etc/absolute") == "recorded\n")
        #expect(try files.text("/etc/up") == "recorded\n")
        #expect(try files.text("/../../../etc/hostname") == "recorded\n")
        #expect(try files.link("/etc/absolute") == "/etc/hostname")
        #expect(try files.status("/etc/absolute").kind == .link)
    }

    @Test func refusesWhatIsNoFile() throws {
        let machine = try RecordedHost(["/proc/1/stat": "1 (init) S"])
        try machine.putFIFO("/proc/fifo")
        try machine.putFIFO("/var/fifo")
        let files = try machine.host().files
        for path in ["/proc/fifo", "/var/fifo", "/proc/1"] {
            #expect(throws: HostFiles.Problem.self, "\(path)") { try files.read(path) }
        }
        #expect(throws: HostFiles.Problem.self) { try files.names(in: "/var/fifo") }
        #expect(throws: HostFiles.Problem.absent(path: "/proc/1/stat")) { try files.names(in: "/proc/1/stat") }
        #expect(throws: HostFiles.Problem.self) { try HostFiles().read("/dev/zero") }
    }

    @Test func theKernelsLogOfProcIsNotReadByAnyPath() throws {
        let machine = try RecordedHost()
        try machine.putLink("/log", to: "/proc/kmsg")
        let paths = [
            "/proc/kmsg", "/proc/./kmsg", "//proc/kmsg", "/proc/self/root/proc/kmsg", "/proc/../proc/kmsg", machine.root + "/log",
        ]
        for path in paths {
            let problem = #expect(throws: HostFiles.Problem.self, "\(path)") { try HostFiles().read(path, bytesMax: 1) }
            let reason = "its messages can be read only once; /dev/kmsg has them too"
            // Without privileges it can't be opened at all.
            #expect(problem == .unreadable(path: path, reason: reason) || problem == .refused(path: path), "\(String(describing: problem))")
        }
    }

    @Test func aNameIsReadInBytes() throws {
        let machine = try RecordedHost(["/\u{301}evil/file": "inside\n", "/plain/\u{301}x": "inside\n"])
        let files = try machine.host().files
        for path in ["/\u{301}evil/file", "/plain/\u{301}x"] {
            #expect(try files.text(path) == "inside\n")
            #expect(try files.status(path).bytes == 7)
        }
        try machine.putLink("/plain/\u{301}link", to: "/nowhere")
        #expect(try files.link("/plain/\u{301}link") == "/nowhere")
        #expect(try HostFiles().status("/").inode == HostFiles().status("//").inode)
        // Below a root it must not be looked for outside of it.
        #expect(throws: HostFiles.Problem.absent(path: "/\u{301}none")) { try files.status("/\u{301}none") }
        #expect(HostPath("/a/b/").parent == HostPath("/a/b"))
        #expect(HostPath("/a").parent == HostPath("/") && HostPath("/").parent == nil)
        #expect(HostPath("/a/b").isBelow(HostPath("/a")) && HostPath("/a").isBelow(HostPath("/")))
        #expect(!HostPath("/ab").isBelow(HostPath("/a")) && !HostPath("/a").isBelow(HostPath("/a")))
    }

    @Test func aNameNeedNotBeText() throws {
        let machine = try RecordedHost()
        try machine.makeFolder("/data")
        let name = HostFiles.Name([UInt8(ascii: "a"), 0xFF])
        let made = (Array("\(machine.root)/data/".utf8) + name.bytes + [0]).withUnsafeBytes {
            open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        }
        try #require(made >= 0)
        close(made)
        for files in try [machine.host().files, HostFiles()] {
            let folder = HostPath(files.root == "/" ? "\(machine.root)/data" : "/data")
            var names: [HostFiles.Name] = []
            try files.eachFileName(in: folder) { found in
                names.append(found)
                return true
            }
            #expect(names == [name])
            #expect(try files.status(folder.appending(name)).kind == .regular)
            #expect(folder.appending(name).text == "\(folder.text)/a\u{FFFD}")
        }
    }

    @Test func whatIsInAFolderIsReadWithoutLeavingIt() throws {
        let machine = try RecordedHost(["/results/a/file": "inside\n", "/etc/shadow": "outside\n"])
        try machine.putLink("/results/link", to: "a/file")
        try machine.putLink("/results/out", to: "../etc/shadow")
        try machine.putLink("/results/absolute", to: "/etc/shadow")
        try machine.putLink("/results/folder", to: "/etc")
        try machine.putLink("/latest", to: "/results")
        for (files, prefix) in try [(machine.host().files, ""), (HostFiles(), machine.root)] {
            let folder = "\(prefix)/results"
            func read(_ path: String, inside folder: String, followsLinks: Bool) throws(HostFiles.Problem) -> [UInt8] {
                try files.read(path, inside: folder, followsLinks: followsLinks).bytes
            }
            #expect(try read("a/file", inside: folder, followsLinks: false) == Array("inside\n".utf8))
            #expect(try read("link", inside: folder, followsLinks: true) == Array("inside\n".utf8))
            if prefix.isEmpty { #expect(try read("a/file", inside: "/latest", followsLinks: false) == Array("inside\n".utf8)) }
            for path in ["out", "absolute", "folder/shadow", "../etc/shadow", "a/../../etc/shadow", "/etc/shadow"] {
                let reason = "it leads out of \(folder)"
                #expect(throws: HostFiles.Problem.unreadable(path: "\(folder)/\(path)", reason: reason)) {
                    try read(path, inside: folder, followsLinks: true)
                }
            }
            for path in ["link", "out", "absolute", "folder/shadow"] {
                let reason = "there is a link on the way to it"
                #expect(throws: HostFiles.Problem.unreadable(path: "\(folder)/\(path)", reason: reason)) {
                    try read(path, inside: folder, followsLinks: false)
                }
            }
            #expect(throws: HostFiles.Problem.unreadable(path: "\(folder)/a", reason: "it is no regular file")) {
                try read("a", inside: folder, followsLinks: true)
            }
        }
    }

    @Test func listsProcesses() throws {
        let machine = try RecordedHost(["/proc/12/stat": "", "/proc/3/stat": "", "/proc/sys/x": "", "/proc/-4/stat": "", "/proc/+5/x": ""])
        #expect(try machine.host().files.processIDs() == [3, 12])
        #expect(try HostFiles().processIDs().contains(getpid()))
    }

    @Test func givesKernelRecordsWithTheirContinuations() throws {
        let machine = try RecordedHost(["/dev/kmsg": "6,1,100,-;first\n SUBSYSTEM=x\n4,2,200,-;second\n"])
        let records = try machine.host().files.kernelRecords().map { String(decoding: $0, as: UTF8.self) }
        #expect(records == ["6,1,100,-;first\n SUBSYSTEM=x", "4,2,200,-;second"])
    }

    @Test func stopsReadingOnceTheExecutionIsStopped() async throws {
        let machine = try RecordedHost(["/proc/stat": "cpu"])
        let stop = StopFlag()
        let host = try machine.host().bound(to: stop, run: ToolRun(marker: nil, deadline: .now + .seconds(5)))
        #expect(try await host.read { (files) throws(BuiltInFault) in files.root } == machine.root)
        stop.set()
        #expect(throws: HostFiles.Problem.stopped) { try host.files.read("/proc/stat") }
        await #expect(throws: BuiltInFault.cancelled) { try await host.sleep(seconds: 1) }
    }
}
