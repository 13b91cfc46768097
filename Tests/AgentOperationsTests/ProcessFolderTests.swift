import AgentOperations
import Glibc
import RecordedHost
import Testing

@Suite struct ProcessFolderTests {
    private func text(_ bytes: [UInt8], _ end: Int) -> String { String(decoding: bytes[..<end], as: UTF8.self) }

    @Test func readsFilesOfProcessesIntoOneBuffer() throws {
        let machine = try RecordedHost(["/proc/12/stat": "a long text of twelve", "/proc/3/stat": "short", "/proc/4/status": ""])
        var folder = try ProcessFolder(try machine.host().files, bytesMax: 16)
        #expect(try folder.read("stat", of: 12, text) == "a long text of t")
        #expect(try folder.read("stat", of: 3, text) == "short")
        #expect(try folder.read("status", of: 4, text) == "")
        #expect(try folder.read("stat", of: 4, text) == nil)
        #expect(try folder.read("stat", of: 99, text) == nil)
        var real = try ProcessFolder(try HostFiles())
        #expect(try real.read("stat", of: getpid(), text)?.hasPrefix("\(getpid()) (") == true)
    }

    @Test func refusesWhatIsNoFileOrLeadsOut() throws {
        let machine = try RecordedHost(["/etc/secret": "x", "/proc/7/comm": "x"])
        try machine.putFIFO("/proc/5/stat")
        try machine.putLink("/proc/6/stat", to: "/etc/secret")
        try machine.putLink("/proc/8", to: "../etc")
        var folder = try ProcessFolder(try machine.host().files)
        #expect(try folder.read("stat", of: 5, text) == nil)
        #expect(try folder.read("stat", of: 6, text) == nil)
        #expect(try folder.read("secret", of: 8, text) == nil)
        #expect(try folder.eachOpenFile(of: 7) { _, _, _ in } == .gone)
    }

    @Test func countsAndFollowsOpenFiles() throws {
        let machine = try RecordedHost(["/proc/9/fd/.keep": ""])
        try machine.putLink("/proc/9/fd/0", to: "/dev/null")
        try machine.putLink("/proc/9/fd/14", to: "/var/log/old (deleted)")
        try machine.putLink("/proc/9/fd/none", to: "/x")
        let folder = try ProcessFolder(try machine.host().files)
        var seen: [Int32: String] = [:]
        #expect(try folder.eachOpenFile(of: 9) { seen[$1] = String(decoding: $2, as: UTF8.self) } == .counted(3))
        #expect(seen == [0: "/dev/null", 14: "/var/log/old (deleted)"])
        #expect(try folder.descriptors(of: 9) == .counted(3))
        #expect(try folder.descriptors(of: 10) == .gone)
    }

    @Test func asksAnotherThreadWhereTheFirstHasEnded() throws {
        let machine = try RecordedHost([
            "/proc/9/fd/.keep": "", "/proc/9/task/9/.keep": "", "/proc/9/task/12/.keep": "", "/proc/12/fd/.keep": "",
        ])
        try machine.putLink("/proc/12/fd/3", to: "/var/log/old")
        let folder = try ProcessFolder(try machine.host().files)
        var seen: [Int32] = []
        #expect(try folder.eachOpenFile(of: 9) { thread, number, _ in seen += [thread, number] } == .counted(1))
        #expect(seen == [12, 3])
    }

    @Test func countsTheFilesOfARealProcess() throws {
        let folder = try ProcessFolder(try HostFiles())
        let opened = (0..<8).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer { for descriptor in opened { close(descriptor) } }
        var seen: Set<Int32> = []
        guard case .counted = try folder.eachOpenFile(of: getpid(), { _, number, _ in seen.insert(number) }) else { throw Unexpected() }
        #expect(seen.isSuperset(of: opened))
        guard case .counted(let count) = try folder.descriptors(of: getpid()) else { throw Unexpected() }
        #expect(count >= opened.count)
        let recorded = try RecordedHost(["/proc/9/fd/0": ""])
        let other = try ProcessFolder(try recorded.host().files)
        let known = [folder.isKnownToHaveOpenFiles(Int32.max), other.isKnownToHaveOpenFiles(9)]
        #expect(known == [false, false])
    }

    @Test func knowsTimesAndLimitsOfThisMachineAlone() throws {
        let own = try ProcessFolder(try HostFiles())
        let before = own.cpuSeconds(of: getpid())
        var now = before
        while now == before, now != nil { now = own.cpuSeconds(of: getpid()) }
        #expect(try #require(now) > (try #require(before)))
        let nobody: Int32 = (1 << 22) + 1  // PID_MAX_LIMIT of the kernel, and one
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let (ownLimit, noTime, noLimit) = (own.openFilesLimit(of: getpid()), own.cpuSeconds(of: nobody), own.openFilesLimit(of: nobody))
        #expect(ownLimit == UInt64(limit.rlim_cur) && noTime == nil && noLimit == nil)
        let machine = try RecordedHost(["/proc/\(getpid())/stat": ""])
        let recorded = try ProcessFolder(try machine.host().files)
        let (time, files) = (recorded.cpuSeconds(of: getpid()), recorded.openFilesLimit(of: getpid()))
        #expect(time == nil && files == nil)
    }

    @Test func endsWhenTheExecutionIsStopped() throws {
        let machine = try RecordedHost(["/proc/3/stat": "short"])
        let stop = StopFlag()
        let host = try machine.host().bound(to: stop, run: ToolRun(marker: nil, deadline: .now + .seconds(5)))
        var folder = try ProcessFolder(host.files)
        stop.set()
        #expect(throws: HostFiles.Problem.stopped) { try folder.read("stat", of: 3, text) }
    }

    private struct Unexpected: Error {}
}
