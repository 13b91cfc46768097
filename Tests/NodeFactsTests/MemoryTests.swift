import NodeFacts
import Testing

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct MemoryTests {
    @Test func readsMemory() throws {
        let info = try #require(
            MemoryInfo(
                bytes(
                    """
                    MemTotal:       24684084 kB
                    MemFree:        22154316 kB
                    MemAvailable:   24249628 kB
                    Buffers:           27312 kB
                    Cached:          2132180 kB
                    SwapTotal:       1048572 kB
                    SwapFree:        1000000 kB
                    AnonPages:         20300 kB
                    Shmem:              8872 kB
                    SUnreclaim:        34024 kB
                    HugePages_Total:       0
                    DirectMap1G:    25165824
                    """)))
        #expect(info.total == 24_684_084 * 1024)
        #expect(info.available == 24_249_628 * 1024)
        #expect(info.swapFree == 1_000_000 * 1024)
        #expect(info.unreclaimableSlab == 34_024 * 1024)
        #expect(info.dirty == 0)
    }

    @Test func estimatesWhatOldKernelsDoNotTell() {
        let info = MemoryInfo(bytes("MemTotal: 100 kB\nMemFree: 30 kB\nCached: 20 kB\n"))
        #expect(info?.available == 50 * 1024)
        #expect(MemoryInfo(bytes("MemFree: 30 kB\n")) == nil)
    }

    @Test func readsCounters() {
        let events = CounterTable(bytes("low 0\nhigh 7\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"))
        #expect(events["oom_kill"] == 2)
        #expect(events["nothing"] == nil)
        let cpu = CounterTable(bytes("usage_usec 100\nnr_periods 40\nnr_throttled 10\nthrottled_usec 5000"))
        #expect(cpu["nr_throttled"] == 10 && cpu["throttled_usec"] == 5000)
        #expect(CounterTable(bytes("a b\n\n: \n:\nx\nok 1\n")).values == ["ok": 1])
        #expect(CounterTable(bytes("big 99999999999999999999999 kB\n"))["big"] == .max)
    }

    @Test func boundsCounters() {
        let text = (0..<10_000).map { "name\($0) 1\n" }.joined()
        #expect(CounterTable(bytes(text)).values.count == CounterTable.entriesMax)
    }

    @Test func readsLimitsOfGroups() {
        #expect(CgroupLimit(bytes("max\n")) == .unlimited)
        #expect(CgroupLimit(bytes("1073741824\n")) == .at(1 << 30))
        #expect(CgroupLimit(bytes("")) == nil)
        #expect(CgroupLimit(bytes("-1\n")) == nil)
    }

    @Test func readsPressure() throws {
        let memory = try #require(
            Pressure(
                bytes(
                    "some avg10=12.34 avg60=1.06 avg300=15.64 total=174918351\nfull avg10=0.16 avg60=0.76 avg300=1.02 total=12020402\n")))
        #expect(memory.some.hundredths10 == 1234 && memory.some.percent300 == 15.64)
        #expect(memory.some.totalMicroseconds == 174_918_351)
        #expect(memory.full?.hundredths60 == 76)
        #expect(Pressure(bytes("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"))?.full == nil)
        #expect(Pressure(bytes("some avg10=1"))?.some.hundredths10 == 100)
        #expect(Pressure(bytes("some avg10=x.y total=99999999999999999999999999\n"))?.some.totalMicroseconds == .max)
        #expect(Pressure(bytes("full avg10=1.00\n")) == nil)
    }
}
