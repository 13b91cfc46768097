/// Named numbers, one a line: `name value`, `name: value` or `name: value kB` (proc_meminfo(5), /proc/vmstat, and the flat keyed
/// files of cgroup v2: memory.events, memory.stat, cpu.stat, pids.events).
///
/// A value with the unit `kB` is kept in bytes. At most `entriesMax` names; a line without a number is left out.
package struct CounterTable: Sendable, Equatable {
    package static let entriesMax = 4096
    package private(set) var values: [String: UInt64] = [:]

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            guard values.count < Self.entriesMax else { return }
            guard var key = line.range() else { continue }
            if bytes[key.upperBound - 1] == 0x3A { key = key.lowerBound..<(key.upperBound - 1) }
            guard let value = line.number() else { continue }
            let isKilobytes = line.range().map { bytes[$0].elementsEqual([0x6B, 0x42]) } ?? false
            values[line.text(in: key)] = isKilobytes ? value.saturatingMultiply(1024) : value
        }
    }

    package subscript(_ name: String) -> UInt64? { values[name] }
}

/// What /proc/meminfo says, in bytes.
package struct MemoryInfo: Sendable, Equatable {
    package var total: UInt64
    package var free: UInt64
    /// What new processes could take without swapping; kernels before 3.14 don't tell, then free + cached.
    package var available: UInt64
    package var cached: UInt64
    package var swapTotal: UInt64
    package var swapFree: UInt64
    package var anonymous: UInt64
    package var shared: UInt64
    package var unreclaimableSlab: UInt64
    package var dirty: UInt64

    /// Nil where the text has no `MemTotal`.
    package init?(_ bytes: [UInt8]) {
        let table = CounterTable(bytes)
        guard let total = table["MemTotal"] else { return nil }
        self.total = total
        free = table["MemFree"] ?? 0
        cached = table["Cached"] ?? 0
        available = min(total, table["MemAvailable"] ?? free.saturatingAdd(cached))
        swapTotal = table["SwapTotal"] ?? 0
        swapFree = table["SwapFree"] ?? 0
        anonymous = table["AnonPages"] ?? 0
        shared = table["Shmem"] ?? 0
        unreclaimableSlab = table["SUnreclaim"] ?? 0
        dirty = table["Dirty"] ?? 0
    }
}

/// A limit of cgroup v2: `max` or a number.
package enum CgroupLimit: Sendable, Equatable {
    case unlimited
    case at(UInt64)

    package init?(_ bytes: [UInt8]) {
        if bytes.starts(with: Array("max".utf8)) {
            self = .unlimited
        } else if let value = Number.only(bytes) {
            self = .at(value)
        } else {
            return nil
        }
    }
}
