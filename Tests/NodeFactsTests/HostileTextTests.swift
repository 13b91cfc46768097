import NodeFacts
import Testing

/// Whatever a text is, no parser breaks on it, and what it makes of it is bounded.
@Suite struct HostileTextTests {
    private struct Noise: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private func parse(_ text: [UInt8]) {
        _ = (MemoryInfo(text), CounterTable(text), CgroupLimit(text), Pressure(text), ProcessStat(text), ProcessStatus(text))
        _ = (ProcessLimits(text), KernelStack.functions(text), CgroupMembership(text).mostSpecific, MountTable.mountInfo(text))
        _ = (MountTable.mounts(text), ProtocolCounters(text), SocketUse(text), SoftnetCounters.rows(text), ConntrackCounters(text))
        _ = (InterfaceCounters.rows(text), TCPSockets(text), DiskCounters.rows(text), SystemStat(text).totalTicks, LoadAverage(text))
        _ = (FileHandles(text), ResolverConfiguration(text).option("ndots"), ClockSynchronization(timedatectl: text))
        _ = (ClockSynchronization(chronyTracking: text), Properties.blocks(text), LoginRecord.startsAndStops(text))
        _ = (KernelMessage(kmsg: text), KernelMessage.journalLines(text), Number.only(text), Number.hundredths(text, 0..<text.count))
        var sockets = TCPSockets()
        _ = text.withUnsafeBytes { sockets.take(diagnostics: $0) }
        let line = String(decoding: text, as: UTF8.self)
        _ = (KernelFault(line), OutOfMemoryKill.find(in: [KernelMessage(text: line)]), CgroupName.short(line))
    }

    private static let samples = [
        ProcessTests.stat, "27 1 254:0 / / rw shared:1 - ext4 /dev/v\\040 rw\n", "MemTotal: 1 kB\n", "some avg10=1.00 total=3\n",
        "Tcp: A B\nTcp: 1 -2\n", "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "6,1,2,-;Killed process 7 (x) anon-rss:9kB\n a=b\n",
        "   0: 0:16 0:0 0A 0:0 0:0 0 0 0 9 1\n", "Max open files 1 unlimited files\n", "0::/kubepods/pod/x:y\n",
        "{\"MESSAGE\":[1,2],\"PRIORITY\":\"3\"}\n",
    ]

    @Test func cutsAndNoise() {
        for sample in Self.samples {
            let whole = bytes(sample)
            for end in 0...whole.count { parse(Array(whole.prefix(end))) }
        }
        for seed in UInt64(1)...400 {
            var noise = Noise(state: seed)
            var text = bytes(Self.samples[Int(seed) % Self.samples.count])
            for _ in 0..<Int.random(in: 1...12, using: &noise) {
                let place = Int.random(in: 0..<text.count, using: &noise)
                switch Int.random(in: 0..<3, using: &noise) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &noise)
                case 1:
                    text.insert(
                        contentsOf: bytes(
                            ["-", ":", "\n", " ", "99999999999999999999", "\\", "(", ")", ",", ";"].randomElement(using: &noise)!),
                        at: place)
                default: text.removeSubrange(place..<min(text.count, place + 3))
                }
                if text.isEmpty { text = [0] }
            }
            parse(text)
        }
    }

    @Test func saturates() {
        #expect(UInt64.max.saturatingAdd(1) == .max && UInt64.max.saturatingMultiply(2) == .max)
        #expect(UInt64(3).since(5) == 0 && UInt64(5).since(3) == 2)
        #expect(UInt64(1).percent(of: 0) == 0 && UInt64(1).percent(of: 4) == 25)
        #expect(Number.only(bytes("12\n")) == 12 && Number.only(bytes("-1")) == nil && Number.only(bytes("")) == nil)
    }
}
