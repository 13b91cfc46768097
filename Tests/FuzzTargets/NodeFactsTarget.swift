import JSONCoding
import NodeFacts

extension FuzzTarget {
    /// A text of the kernel's or of a tool's, whichever: every parser of them takes it. What they make of it is bounded, holds together, and
    /// where a text can be written of it, that reads back alike.
    static let nodeFacts = FuzzTarget(
        "node-facts", bytesMax: 2048,
        words: [
            "MemTotal: ", " kB\n", "some avg10=", "total=", "Max open files ", "unlimited", "kubepods", "pod", ".scope", ".slice", "cpu ",
            "Tcp: ", "99999999999999999999", "18446744073709551615", "-9223372036854775808", "ffffffffffffffff", "\\040", "\\x0a",
            "6,1,2,-;", "Killed process ", "oom-kill:", "task_memcg=", "pid=", "nameserver ", "options ", "ndots:", "NTPSynchronized=",
            "\"MESSAGE\":", "\"PRIORITY\":", "[<0>] ", "+0x", " - ", "0A", "max",
        ]
    ) { input in
        try checkNumbers(input)
        try checkCounters(input)
        try checkProcesses(input)
        try checkMounts(input)
        try checkKernelLog(input)
        try checkTools(input)
        try checkNetwork(input)
    }

    private static let parsedBytesMax = 4096

    private static func checkNumbers(_ input: [UInt8]) throws {
        for word in input.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }).prefix(64) {
            let isDecimal = word.allSatisfy { (0x30...0x39).contains($0) }
            // The standard library reads what fits into 64 bits; beyond that the greatest number stands for it.
            let expected = isDecimal ? UInt64(String(decoding: word, as: UTF8.self)) ?? .max : nil
            let number = Number.only(Array(word))
            try expect(number == expected, "\(word) is read as \(String(describing: number))")
            let hundredths = Number.hundredths(Array(word), 0..<word.count)
            if isDecimal { try expect(hundredths == expected?.saturatingMultiply(100), "\(word) in hundredths") }
            var fields = Fields(Array(word))
            let signed = fields.signed()
            if isDecimal { try expect(signed == Int64(clamping: expected ?? 0), "\(word) with a sign") }
            fields = Fields(Array(word))
            let hexadecimal = fields.hexadecimal()
            if word.first != 0x2B, word.first != 0x2D, let exact = UInt64(String(decoding: word, as: UTF8.self), radix: 16) {
                try expect(hexadecimal == exact, "\(word) in hexadecimal is \(String(describing: hexadecimal))")
            }
        }
    }

    private static func checkCounters(_ input: [UInt8]) throws {
        if let memory = MemoryInfo(input) { try expect(memory.available <= memory.total, "more is available than there is") }
        let table = CounterTable(input)
        try expect(table.values.count <= CounterTable.entriesMax, "\(table.values.count) counters")
        if let limit = CgroupLimit(input), case .at(let value) = limit { try expect(Number.only(input) == value, "a limit of \(value)") }
        if let pressure = Pressure(input) { try expect(pressure.some.percent10.isFinite && pressure.some.percent10 >= 0, "pressure") }
        let stat = SystemStat(input)
        try expect(stat.cpuTicks.count <= 8 && stat.totalTicks >= stat.stealTicks, "ticks: \(stat.cpuTicks)")
        try expect(stat.totalTicks >= stat.idleTicks && stat.idleTicks >= stat.waitTicks, "ticks: \(stat.cpuTicks)")
        if let load = LoadAverage(input) { try expect(load.hundredths.count == 3, "load: \(load)") }
        if let handles = FileHandles(input) { _ = handles.open.percent(of: handles.limit) }
        try expectLineByLine(input, DiskCounters.rows)
    }

    private static func checkProcesses(_ input: [UInt8]) throws {
        if let stat = ProcessStat(input) {
            try expect(stat.pid >= 0 && !stat.state.letter.isEmpty, "a process \(stat)")
            try expect(stat.cpuTicks >= max(stat.userTicks, stat.systemTicks), "ticks: \(stat)")
            try expect(ProcessStat(input + [0x0A]) == stat, "a line feed makes it another process")
        }
        try expect(ProcessStatus(input).namespacePIDs.count <= 64, "pids")
        // What stands behind the end of a buffer that was used before is not seen.
        let end = input.count / 2
        let first = Array(input[..<end])
        try expect(ProcessStat(input, end: end) == ProcessStat(first), "a process in the first \(end) bytes")
        try expect(ProcessLimits(input, end: end)["Max open files"] == ProcessLimits(first)["Max open files"], "a limit in \(end) bytes")
        try expect(KernelStack.functions(input).count <= KernelStack.framesMax, "frames")
        let membership = CgroupMembership(input)
        try expect(membership.entries.count <= CgroupMembership.entriesMax, "groups")
        for path in membership.entries.map(\.path) + [String(decoding: input.prefix(parsedBytesMax), as: UTF8.self)] {
            let name = CgroupName(path)
            try expect(name.container.map { $0.utf8.count == 64 } ?? true, "container \(name)")
            try expect(name.pod.map { $0.count == 36 || $0.count == 32 } ?? true, "pod \(name)")
            try expect(path.isEmpty || !CgroupName.short(path).isEmpty, "\(path) has no name")
        }
    }

    private static func checkMounts(_ input: [UInt8]) throws {
        try expectLineByLine(input, MountTable.mountInfo)
        try expectLineByLine(input, MountTable.mounts)
        for mount in MountTable.mountInfo(input).prefix(16) {
            let tags = mount.propagation.map { $0 + " " }.joined()
            let line =
                "\(mount.id) \(mount.parent) \(mount.device) \(escaped(mount.root)) \(escaped(mount.point)) \(list(mount.options)) "
                + "\(tags)- \(mount.type) \(escaped(mount.source)) \(list(mount.superOptions))\n"
            try expect(MountTable.mountInfo(Array(line.utf8)) == [mount], "\(mount) is written as \(line)")
        }
        for mount in MountTable.mounts(input).prefix(16) {
            let line = "\(escaped(mount.source)) \(escaped(mount.point)) \(mount.type) \(list(mount.options)) 0 0\n"
            try expect(MountTable.mounts(Array(line.utf8)) == [mount], "\(mount) is written as \(line)")
        }
    }

    /// As the kernel writes a path.
    private static func escaped(_ path: String) -> String {
        path.unicodeScalars.map { scalar in
            guard [0x20, 0x09, 0x0A, 0x0D, 0x5C, 0x23].contains(scalar.value) else { return String(scalar) }
            let digits = String(scalar.value, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined()
    }

    private static func list(_ options: [String]) -> String { options.isEmpty ? "," : options.joined(separator: ",") }

    private static func checkKernelLog(_ input: [UInt8]) throws {
        if let message = KernelMessage(kmsg: input) {
            try expect(message.level.map { $0 < 8 } ?? false, "level \(String(describing: message.level))")
            // A byte that is no UTF-8 becomes a character of three.
            try expect(message.text.utf8.count <= 3 * KernelMessage.textBytesMax, "a message of \(message.text.utf8.count) bytes")
        }
        try expectLineByLine(input) { KernelMessage.journalLines($0) }
        let lines = input.split(separator: 0x0A).prefix(64).map { KernelMessage(text: String(decoding: $0, as: UTF8.self)) }
        let messages = lines + KernelMessage.journalLines(input)
        let kills = OutOfMemoryKill.find(in: messages)
        try expect(kills.count <= messages.filter { KernelFault($0.text) == .outOfMemory }.count, "\(kills.count) kills")
        for message in lines {
            guard let fault = KernelFault(message.text) else { continue }
            try expect(KernelFault(message.text + " .") == fault, "\(message.text) with a dot behind it is another fault")
        }
    }

    private static func checkTools(_ input: [UInt8]) throws {
        let resolver = ResolverConfiguration(input)
        try expect(resolver.servers.count <= ResolverConfiguration.serversMax, "servers")
        _ = resolver.option("ndots")
        var text = resolver.servers.map { "nameserver \($0)\n" }.joined()
        text += "search \(resolver.searchDomains.joined(separator: " "))\noptions \(resolver.options.joined(separator: " "))\n"
        try expect(ResolverConfiguration(Array(text.utf8)) == resolver, "\(resolver) is written as \(text)")
        _ = ClockSynchronization(timedatectl: input)
        if let clock = ClockSynchronization(chronyTracking: input) { try expect(clock.offsetSeconds?.isFinite ?? false, "an offset") }
        let blocks = Properties.blocks(input)
        let written = blocks.map { $0.map { "\($0.key)=\($0.value)\n" }.joined() + "\n" }.joined()
        try expect(Properties.blocks(Array(written.utf8)) == blocks, "\(blocks) is written as \(written)")
        // Records are long: the input is repeated until there are some.
        var records = input
        while !input.isEmpty, records.count < 4 * LoginRecord.bytes { records += input }
        let found = LoginRecord.startsAndStops(records)
        try expect(found.count <= records.count / LoginRecord.bytes, "\(found.count) records")
        let whole = records.prefix(records.count / LoginRecord.bytes * LoginRecord.bytes)
        try expect(LoginRecord.startsAndStops(Array(whole)) == found, "the record that is cut counts")
        try expect(LoginRecord.startsAndStops(records, recordsMax: 1) == Array(found.suffix(1)), "the last record is another one")
    }

    private static func checkNetwork(_ input: [UInt8]) throws {
        _ = (ProtocolCounters(input)("Tcp", "RetransSegs"), SocketUse(input)("TCP", "inuse"), ConntrackCounters(input)["drop"])
        try expect(SoftnetCounters.rows(input).count <= SoftnetCounters.rowsMax, "rows")
        try expectLineByLine(input, InterfaceCounters.rows)
        let sockets = TCPSockets(input)
        try expect(sockets.listeners.count <= sockets.states[TCPSockets.listening] ?? 0, "\(sockets.listeners.count) listeners")
        try expect(sockets.states.count <= 64, "states")
        var told = TCPSockets()
        _ = input.withUnsafeBytes { told.take(diagnostics: $0) }
        try expect(told.listeners.count <= told.states[TCPSockets.listening] ?? 0, "\(told.listeners.count) listeners of diagnostics")
        try expect(told.states.values.reduce(0, +) <= input.count / 88, "more sockets than there is room for")
    }

    /// A table is what its lines are, each by itself.
    private static func expectLineByLine<Row: Equatable>(_ input: [UInt8], _ rows: ([UInt8]) -> [Row]) throws {
        let all = rows(input)
        let single = input.split(separator: 0x0A, omittingEmptySubsequences: false).flatMap { rows(Array($0)) }
        try expect(all == single, "\(all) line by line is \(single)")
    }
}
