import NodeFacts
import Testing

@Suite struct ProcessTests {
    static let stat = """
        19012 (cat) R 19001 19001 15746 0 -1 4194304 98 0 7 0 11 5 0 0 20 0 3 0 78372 3133440 382 18446744073709551615 94916108120064 \
        94916108139945 140731400256480 0 0 0 0 0 0 0 0 0 17 1 0 0 42 0 0 94916108155952 94916108157568 94916589948928 140731400260283 \
        140731400260321 140731400260321 140731400261611 0

        """

    @Test func readsStat() throws {
        let stat = try #require(ProcessStat(bytes(Self.stat)))
        #expect(stat.pid == 19012 && stat.name == "cat" && stat.state == .running && stat.parent == 19001)
        #expect(stat.majorFaults == 7 && stat.cpuTicks == 16 && stat.threads == 3)
        #expect(stat.startTicks == 78372 && stat.virtualBytes == 3_133_440 && stat.residentPages == 382)
        #expect(stat.blockDelayTicks == 42)
        #expect(!stat.isKernelThread)
    }

    @Test func takesAnyName() throws {
        let text = Self.stat.replacing("(cat)", with: "(a) S 1 (b) \n)")
        let stat = try #require(ProcessStat(bytes(text)))
        #expect(stat.name == "a) S 1 (b) \n" && stat.state == .running)
    }

    @Test func tellsKernelThreadsAndStates() {
        let kernel = "45 (kworker/0:1H-kblockd) D 2 0 0 0 -1 69238880 0 0 0 0 0 3 0 0 0 -20 1 0 30 0 0 18446744073709551615\n"
        let stat = ProcessStat(bytes(kernel))
        #expect(stat?.isKernelThread == true && stat?.state == .uninterruptible && stat?.blockDelayTicks == 0)
        #expect(ProcessStat(bytes(Self.stat.replacing(" R ", with: " Z ")))?.state == .zombie)
        #expect(ProcessStat(bytes(Self.stat.replacing(" R ", with: " ? ")))?.state == .other(0x3F))
    }

    @Test func neverBreaksOnACut() {
        let whole = bytes(Self.stat)
        for end in 0...whole.count {
            // A buffer that is read into again holds the rest of a longer text behind its end.
            #expect(ProcessStat(whole, end: end) == ProcessStat(Array(whole[..<end])), "\(end)")
        }
        #expect(ProcessStat(bytes("1 )a( R 1\n")) == nil)
        #expect(ProcessStat(bytes("1 (a)\n")) == nil)
        let large = Self.stat.replacing(" 11 5 ", with: " 99999999999999999999999 99999999999999999999999 ")
        #expect(ProcessStat(bytes(large))?.cpuTicks == .max)
    }

    @Test func readsStatus() {
        let status = ProcessStatus(
            bytes(
                """
                Name:\tsystemd resolve
                Umask:\t0022
                State:\tD (disk sleep)
                Tgid:\t512
                Pid:\t512
                PPid:\t1
                Uid:\t101\t102\t103\t104
                Gid:\t103\t104\t105\t106
                FDSize:\t64
                NSpid:\t512\t1
                VmRSS:\t   13056 kB
                VmSwap:\t       4 kB
                Threads:\t2
                CapEff:\t0000000000003000
                """))
        #expect(status.name == "systemd resolve" && status.state == .uninterruptible && status.pid == 512 && status.parent == 1)
        #expect(status.user == 102 && status.group == 104 && status.descriptorSlots == 64 && status.namespacePIDs == [512, 1])
        #expect(status.residentBytes == 13_056 * 1024 && status.swapBytes == 4096 && status.threads == 2)
        #expect(status.effectiveCapabilities == 0x3000 && status.threadGroup == 512)
        #expect(ProcessStatus(bytes("Name\nState:\nUid:\t1")).user == nil)
    }

    @Test func readsLimits() {
        let limits = ProcessLimits(
            bytes(
                """
                Limit                     Soft Limit           Hard Limit           Units     
                Max cpu time              unlimited            unlimited            seconds   
                Max processes             96365                unlimited            processes 
                Max open files            1024                 1048576              files     
                Max nice priority         0                    0                    
                Max open fi
                """))
        #expect(limits["Max open files"]?.soft == 1024 && limits["Max open files"]?.hard == 1_048_576)
        #expect(limits["Max processes"]?.soft == 96365 && limits["Max processes"].map { $0.hard == nil } == true)
        #expect(limits["Max cpu time"] != nil && limits["Max cpu time"]?.soft == nil)
        #expect(limits["Max nice priority"]?.soft == 0)
        #expect(limits["Max stack size"] == nil && limits["Max open fi"] == nil && limits["Limit"] == nil)
        let earlier = bytes("Max open files            1024                 4096                 files\nMax open files 7 8")
        #expect(ProcessLimits(earlier, end: 20)["Max open files"] == nil)
    }

    @Test func readsStacks() {
        let stack =
            "[<0>] nfs_wait_bit_killable+0x1e/0xa0 [nfs]\n[<0>] __wait_on_bit+0x2c/0x90\n[<0>] do_syscall_64+0x71/0x280\nnoise\n[<0>]"
        #expect(KernelStack.functions(bytes(stack)) == ["nfs_wait_bit_killable", "__wait_on_bit", "do_syscall_64"])
        let endless = String(repeating: "[<0>] f+0x1\n", count: 10_000)
        #expect(KernelStack.functions(bytes(endless)).count == KernelStack.framesMax)
    }
}

@Suite struct CgroupTests {
    @Test func readsMembershipOfBothVersions() {
        let both = CgroupMembership(bytes("9:name=systemd:/\n4:memory:/process/dd:ff\n3:cpu,cpuacct:/a\n0::/\n"))
        #expect(both.unified == "/" && both.path(of: "memory") == "/process/dd:ff" && both.path(of: "cpuacct") == "/a")
        #expect(both.mostSpecific == "/process/dd:ff")
        #expect(CgroupMembership(bytes("0::/system.slice/ssh.service\n")).mostSpecific == "/system.slice/ssh.service")
        #expect(CgroupMembership(bytes("0::/\n")).mostSpecific == "/")
        #expect(CgroupMembership(bytes("nonsense\n:\n::\nx::/a\n")).entries.isEmpty)
    }

    @Test(arguments: [
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2c48913c_b29f_11e7_9350_020968147796.slice/cri-containerd-ID.scope",
        "/kubepods.slice/kubepods-pod2c48913c_b29f_11e7_9350_020968147796.slice/crio-ID.scope",
        "/kubepods/besteffort/pod2c48913c-b29f-11e7-9350-020968147796/ID",
        "/system.slice/containerd.service/kubepods-burstable-pod2c48913c_b29f_11e7_9350_020968147796.slice:cri-containerd:ID",
    ]) func namesContainersAndPods(_ path: String) {
        let id = String(repeating: "0123abcd", count: 8)
        let name = CgroupName(path.replacing("ID", with: id))
        #expect(name.container == id)
        if !path.contains("slice:") { #expect(name.pod == "2c48913c-b29f-11e7-9350-020968147796") }
        #expect(CgroupName.short(path.replacing("ID", with: id)) == "container 0123abcd0123")
    }

    @Test func namesUnits() {
        let docker = "/system.slice/docker-" + String(repeating: "f", count: 64) + ".scope"
        #expect(CgroupName(docker).container == String(repeating: "f", count: 64))
        #expect(CgroupName("/system.slice/nginx.service").unit == "nginx.service")
        #expect(CgroupName.short("/system.slice/nginx.service") == "nginx.service")
        #expect(CgroupName.short("/custom/group") == "/custom/group")
        #expect(CgroupName.short("/") == "/")
    }
}
