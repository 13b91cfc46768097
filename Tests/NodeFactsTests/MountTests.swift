import NodeFacts
import Testing

@Suite struct MountTests {
    @Test func readsMountInfo() throws {
        let mounts = MountTable.mountInfo(
            bytes(
                """
                27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard,errors=remount-ro
                28 27 0:25 / /mnt/with\\040space\\011and\\134slash ro,nosuid - tmpfs none ro,size=4k
                42 27 254:0 /srv/data/.git /srv/.shared rw shared:2 master:3 propagate_from:1 - ext4 /dev/vda ro
                50 27 0:40 / /cut rw
                x y z
                """))
        try #require(mounts.count == 3)
        #expect(mounts[0].point == "/" && mounts[0].type == "ext4" && mounts[0].device == "254:0" && !mounts[0].isFileSystemReadOnly)
        #expect(mounts[0].superOptions.contains("errors=remount-ro") && mounts[0].propagation == ["shared:1"])
        #expect(mounts[1].point == "/mnt/with space\tand\\slash" && mounts[1].isReadOnly && mounts[1].isFileSystemReadOnly)
        #expect(mounts[2].root == "/srv/data/.git" && mounts[2].propagation.count == 3)
        #expect(!mounts[2].isReadOnly && mounts[2].isFileSystemReadOnly && mounts[2].parent == 27 && mounts[2].id == 42)
    }

    @Test func readsTables() {
        let mounts = MountTable.mounts(
            bytes("/dev/sda1 /data\\040x xfs rw,noatime 0 0\n# comment\n#/dev/x /y ext4 rw\nUUID=1 /old\\0 ext4 defaults\nshort line\n"))
        #expect(mounts.map(\.point) == ["/data x", "/old\\0"])
        #expect(mounts.first?.options == ["rw", "noatime"])
    }

    @Test func takesBrokenEscapes() {
        #expect(MountTable.mounts(bytes("a /\\777\\08x\\ b c\n")).first?.point == "/\\777\\08x\\")
    }
}

@Suite struct DiskTests {
    @Test func readsCountersOfOldAndNewKernels() {
        let rows = DiskCounters.rows(
            bytes(
                """
                 254       0 vda 86773 9630 7556314 90524 19750 104277 8948824 37760 3 19452 129006 1935 0 251928 595 2518 125
                   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11
                   8       2 sda2 1 2 3
                """))
        #expect(rows.map(\.name) == ["vda", "sda1"])
        #expect(rows.first?.device == "254:0" && rows.first?.reads == 86_773 && rows.first?.readMilliseconds == 90_524)
        #expect(rows.first?.writes == 19_750 && rows.first?.writtenSectors == 8_948_824 && rows.first?.inFlight == 3)
        #expect(rows.first?.busyMilliseconds == 19_452 && rows.first?.weightedMilliseconds == 129_006)
    }

    @Test func readsSystemStat() {
        let stat = SystemStat(
            bytes(
                "cpu  100 1 20 800 40 2 3 4 5 6\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nintr 1 2 3\nbtime 1795713609\nprocs_running 3\nprocs_blocked 2\n"
            ))
        #expect(stat.totalTicks == 970 && stat.idleTicks == 840 && stat.waitTicks == 40 && stat.stealTicks == 4)
        #expect(stat.cpus == 2 && stat.bootSeconds == 1_795_713_609 && stat.runningProcesses == 3 && stat.blockedProcesses == 2)
        #expect(SystemStat(bytes("cpu 1\n")).idleTicks == 0)
        #expect(SystemStat(bytes("cpu  18446744073709551615 18446744073709551615 1 1\n")).totalTicks == .max)
    }

    @Test func readsLoadAndHandles() {
        let load = LoadAverage(bytes("0.06 10.9 123.456 3/94 19004\n"))
        #expect(load?.hundredths == [6, 1090, 12_345] && load?.runnableTasks == 3 && load?.tasks == 94)
        #expect(LoadAverage(bytes("0.06 0.9")) == nil && LoadAverage(bytes("a b c d")) == nil)
        #expect(FileHandles(bytes("501\t1\t2466170\n"))?.open == 500)
        #expect(FileHandles(bytes("501\t0\t9223372036854775807\n"))?.limit == UInt64(Int64.max))
        #expect(FileHandles(bytes("1 9 10"))?.open == 0)
        #expect(FileHandles(bytes("501")) == nil)
    }
}
