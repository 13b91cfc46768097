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
        #expect(throws: HostFiles.Problem.self) { try HostFiles().read("/proc/kmsg") }
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
