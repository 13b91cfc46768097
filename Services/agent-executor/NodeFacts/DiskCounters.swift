/// The counters of a block device, a line of /proc/diskstats (Documentation/admin-guide/iostats.rst).
package struct DiskCounters: Sendable, Equatable {
    package static let rowsMax = 65_536
    package var device: String
    package var name: String
    package var reads: UInt64
    package var readSectors: UInt64
    package var readMilliseconds: UInt64
    package var writes: UInt64
    package var writtenSectors: UInt64
    package var writeMilliseconds: UInt64
    package var inFlight: UInt64
    /// Time in which something was in flight.
    package var busyMilliseconds: UInt64
    /// That time, each request counted on its own.
    package var weightedMilliseconds: UInt64

    package static func rows(_ bytes: [UInt8]) -> [DiskCounters] {
        var rows: [DiskCounters] = []
        for var line in Lines(bytes) where rows.count < rowsMax {
            guard let major = line.number(), let minor = line.number(), let name = line.text(), let reads = line.number(), line.skip(1),
                let readSectors = line.number(), let readTime = line.number(), let writes = line.number(), line.skip(1),
                let writtenSectors = line.number(), let writeTime = line.number(), let inFlight = line.number(), let busy = line.number(),
                let weighted = line.number()
            else { continue }
            rows.append(
                DiskCounters(
                    device: "\(major):\(minor)", name: name, reads: reads, readSectors: readSectors, readMilliseconds: readTime,
                    writes: writes, writtenSectors: writtenSectors, writeMilliseconds: writeTime, inFlight: inFlight,
                    busyMilliseconds: busy, weightedMilliseconds: weighted))
        }
        return rows
    }
}

/// What the CPUs did, in clock ticks, and when the machine started: /proc/stat (proc_stat(5)).
package struct SystemStat: Sendable, Equatable {
    /// user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user.
    package private(set) var cpuTicks: [UInt64] = []
    package private(set) var cpus = 0
    /// Seconds of the Unix epoch.
    package private(set) var bootSeconds: UInt64?
    package private(set) var blockedProcesses: UInt64 = 0
    package private(set) var runningProcesses: UInt64 = 0

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            guard let key = line.range() else { continue }
            if key.count == 3, line.bytes[key].elementsEqual("cpu".utf8) {
                while cpuTicks.count < 8, let ticks = line.number() { cpuTicks.append(ticks) }
            } else if line.bytes[key].starts(with: "cpu".utf8) {
                cpus += 1
            } else {
                switch line.text(in: key) {
                case "btime": bootSeconds = line.number()
                case "procs_blocked": blockedProcesses = line.number() ?? 0
                case "procs_running": runningProcesses = line.number() ?? 0
                default: continue
                }
            }
        }
    }

    package var totalTicks: UInt64 { cpuTicks.reduce(0) { $0.saturatingAdd($1) } }
    package var stealTicks: UInt64 { cpuTicks.count > 7 ? cpuTicks[7] : 0 }
    package var waitTicks: UInt64 { cpuTicks.count > 4 ? cpuTicks[4] : 0 }
    package var idleTicks: UInt64 { (cpuTicks.count > 3 ? cpuTicks[3] : 0).saturatingAdd(waitTicks) }
}

/// /proc/loadavg: load in hundredths over 1, 5 and 15 minutes, and how many tasks there are.
package struct LoadAverage: Sendable, Equatable {
    package var hundredths: [UInt64]
    package var runnableTasks: UInt64
    package var tasks: UInt64

    package init?(_ bytes: [UInt8]) {
        var fields = Fields(bytes)
        var loads: [UInt64] = []
        for _ in 0..<3 {
            guard let range = fields.range(), let load = Number.hundredths(bytes, range) else { return nil }
            loads.append(load)
        }
        guard let pair = fields.range() else { return nil }
        var tasks = Fields(bytes, pair)
        guard let runnable = tasks.range(before: 0x2F).flatMap({ Number.decimal(bytes, $0) }), let all = tasks.number() else { return nil }
        hundredths = loads
        runnableTasks = runnable
        self.tasks = all
    }
}

/// /proc/sys/fs/file-nr: open file handles and how many there may be.
package struct FileHandles: Sendable, Equatable {
    package var open: UInt64
    package var limit: UInt64

    package init?(_ bytes: [UInt8]) {
        var fields = Fields(bytes)
        guard let allocated = fields.number(), let free = fields.number(), let limit = fields.number() else { return nil }
        open = allocated.since(free)
        self.limit = limit
    }
}
