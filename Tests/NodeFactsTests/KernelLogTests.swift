import NodeFacts
import Testing

@Suite struct KernelLogTests {
    @Test func readsRecords() throws {
        let record = try #require(
            KernelMessage(kmsg: bytes("3,1234,4500000,-;EXT4-fs error (device sda1): a\\x0ab\n SUBSYSTEM=block\n DEVICE=b8:1")))
        #expect(record.level == 3 && record.sinceBootMicroseconds == 4_500_000 && record.text == "EXT4-fs error (device sda1): a\nb")
        #expect(KernelMessage(kmsg: bytes("6,1,0,-,caller=T1;text;with;more"))?.text == "text;with;more")
        #expect(KernelMessage(kmsg: bytes("30,5,9,-;systemd[1]: of a program")) == nil)
        for cut in ["", "6", "6,1", "6,1,2,-", "x,1,2,-;a", ";a", " SUBSYSTEM=x"] { #expect(KernelMessage(kmsg: bytes(cut)) == nil) }
        #expect(KernelMessage(kmsg: bytes("6,1,99999999999999999999999999,-;a\\x4"))?.sinceBootMicroseconds == .max)
        #expect(KernelMessage(kmsg: bytes("6,1,2,-;" + String(repeating: "x", count: 9000)))?.text.utf8.count == KernelMessage.textBytesMax)
    }

    @Test func readsTheJournal() {
        let lines = """
            {"MESSAGE":"Out of memory: Killed process 7 (x)","PRIORITY":"3","__REALTIME_TIMESTAMP":"1790000000000000","_SOURCE_MONOTONIC_TIMESTAMP":"12"}
            {"MESSAGE":[104,105,256,-1,255],"PRIORITY":"9"}
            not json
            {"MESSAGE":null}
            {"PRIORITY":"3"}
            {"MESSAGE":"cut
            """
        let messages = KernelMessage.journalLines(bytes(lines))
        #expect(messages.map(\.text) == ["Out of memory: Killed process 7 (x)", "hi\u{FFFD}"])
        #expect(messages[0].level == 3 && messages[0].epochMicroseconds == 1_790_000_000_000_000 && messages[0].sinceBootMicroseconds == 12)
        #expect(messages[1].level == nil)
    }

    @Test(arguments: [
        ("INFO: task jbd2/sda1-8:312 blocked for more than 120 seconds.", KernelFault.hungTask),
        ("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:2:77]", .softLockup),
        ("NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", .hardLockup),
        ("rcu: INFO: rcu_sched self-detected stall on CPU", .rcuStall),
        ("BUG: unable to handle page fault for address: ffffffffc0000000", .oops),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000000", .oops),
        ("Oops: 0002 [#1] SMP PTI", .oops),
        ("general protection fault, probably for non-canonical address 0xdead: 0000 [#1]", .oops),
        ("traps: nginx[812] general protection fault ip:7f00 sp:7ff0 error:0 in libc.so", .segmentationFault),
        ("python3[4242]: segfault at 0 ip 0000000000400 sp 00007ff error 4 in x[400000+1000]", .segmentationFault),
        ("Kernel panic - not syncing: Fatal exception", .panic),
        ("Out of memory: Killed process 1234 (java) total-vm:1kB, anon-rss:2kB", .outOfMemory),
        ("blk_update_request: I/O error, dev sda, sector 12345 op 0x0:(READ)", .inputOutputError),
        ("Buffer I/O error on dev dm-0, logical block 0, lost async page write", .inputOutputError),
        ("md/raid1:md0: Disk failure on sdb1, disabling device.", .arrayDiskFailure),
        ("critical medium error, dev sda, sector 1", .inputOutputError),
        ("EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0", .fileSystemError),
        ("EXT4-fs (sda1): Remounting filesystem read-only", .readOnlyRemount),
        ("XFS (dm-1): Metadata corruption detected at xfs_agf_read_verify", .fileSystemError),
        ("XFS (dm-1): metadata I/O error in \"xfs_buf\"", .fileSystemError),
        ("BTRFS info (device sdb1): forced readonly", .readOnlyRemount),
        ("ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen", .deviceReset),
        ("nvme nvme0: I/O 12 QID 3 timeout, aborting", .deviceReset),
        ("EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0", .memoryError),
        ("mce: [Hardware Error]: Machine check events logged", .machineCheck),
        ("CPU3: Package temperature above threshold, cpu clock throttled (total events = 1)", .thermalThrottling),
        ("NETDEV WATCHDOG: eth0 (e1000): transmit queue 0 timed out", .networkDeviceHang),
        ("nf_conntrack: nf_conntrack: table full, dropping packet", .conntrackFull),
        ("neighbour: arp_cache: neighbor table overflow!", .neighbourTableFull),
        ("TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:80. Sending cookies.", .synFlood),
        ("e1000e 0000:00:1f.6 eth0: NIC Link is Down", .linkDown),
        ("VFS: file-max limit 65536 reached", .fileLimit),
        ("cgroup: fork rejected by pids controller in /system.slice/x.service", .pidLimit),
        ("kworker/u8:0: page allocation failure: order:4, mode:0x40cc0", .allocationFailure),
        ("unregister_netdevice: waiting for lo to become free. Usage count = 1", .deviceReferenceLeak),
        ("WARNING: CPU: 0 PID: 12 at net/sched/sch_generic.c:525 dev_watchdog+0x1/0x2", .warning),
    ])
    func recognises(_ text: String, _ fault: KernelFault) {
        #expect(KernelFault(text) == fault)
    }

    @Test(arguments: [
        "", "x", "usb 1-1: new high-speed USB device", "systemd[1]: Started x", "eth0: link becomes ready",
        "EXT4-fs (vda): mounted filesystem",
    ])
    func leavesTheOthersAlone(_ text: String) {
        #expect(KernelFault(text) == nil)
    }

    @Test func readsKillsOfNewKernels() throws {
        let kills = OutOfMemoryKill.find(
            in: [
                "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999",
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/kubepods/a,task_memcg=/kubepods/a/b,task=java,pid=77,uid=0",
                "Memory cgroup out of memory: Killed process 77 (java) total-vm:3000kB, anon-rss:2048kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:999",
                "oom_reaper: reaped process 77 (java), now anon-rss:0kB",
                "Out of memory: Killed process 5 (big one) total-vm:1kB, anon-rss:x",
                "Out of memory: Killed process",
                "Out of memory: Killed process -1 (x)",
            ].map { KernelMessage(sinceBootMicroseconds: 5, text: $0) })
        try #require(kills.count == 2)
        #expect(kills[0].pid == 77 && kills[0].name == "java" && kills[0].scope == .cgroup && kills[0].anonymousBytes == 2048 * 1024)
        #expect(kills[0].limitCgroup == "/kubepods/a" && kills[0].taskCgroup == "/kubepods/a/b" && kills[0].sinceBootMicroseconds == 5)
        #expect(kills[1].scope == .machine && kills[1].name == "big one" && kills[1].anonymousBytes == nil && kills[1].limitCgroup == nil)
    }

    @Test func readsKillsOfOldKernels() {
        let kills = OutOfMemoryKill.find(
            in: [
                "Out of memory: Kill process 123 (mysqld) score 900 or sacrifice child",
                "Killed process 123 (mysqld) total-vm:9kB, anon-rss:8kB, file-rss:0kB",
                "Memory cgroup out of memory: Kill process 9 (a) score 1 or sacrifice child",
            ].map { KernelMessage(text: $0) })
        #expect(kills.map(\.pid) == [123, 9] && kills.first?.anonymousBytes == 8192 && kills.last?.scope == .cgroup)
    }

    @Test func readsStartsAndStops() {
        func record(_ type: UInt8, _ user: String, _ host: String, _ seconds: UInt32) -> [UInt8] {
            var record = [UInt8](repeating: 0, count: LoginRecord.bytes)
            record[0] = type
            record.replaceSubrange(44..<(44 + user.utf8.count), with: user.utf8)
            record.replaceSubrange(76..<(76 + host.utf8.count), with: host.utf8)
            for byte in 0..<4 { record[340 + byte] = UInt8(truncatingIfNeeded: seconds >> UInt32(8 * byte)) }
            return record
        }
        let text =
            record(2, "reboot", "6.1.0-13-amd64", 1_700_000_000) + record(7, "root", "", 1_700_000_100)
            + record(1, "shutdown", "6.1.0-13-amd64", 1_700_000_200) + record(2, "reboot", "6.1.0", 1_700_000_300).dropLast()
        let records = LoginRecord.startsAndStops(text)
        #expect(records.map(\.kind) == [.boot, .shutdown] && records.map(\.seconds) == [1_700_000_000, 1_700_000_200])
        #expect(records.first?.host == "6.1.0-13-amd64")
        #expect(LoginRecord.startsAndStops(text, recordsMax: -5).isEmpty)
        #expect(LoginRecord.startsAndStops([1, 2, 3]).isEmpty)
    }
}
