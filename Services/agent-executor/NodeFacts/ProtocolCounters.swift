/// Counters of the network protocols, from /proc/net/snmp and /proc/net/netstat: a line of names, then a line of values.
package struct ProtocolCounters: Sendable, Equatable {
    package static let countersMax = 4096
    /// By protocol (`Tcp`, `TcpExt`, `Udp`, …) and name.
    package private(set) var values: [String: [String: Int64]] = [:]

    package init(_ bytes: [UInt8]) {
        var names: (protocol: String, fields: Fields)?
        var count = 0
        for var line in Lines(bytes) {
            guard let `protocol` = line.text(before: 0x3A) else { continue }
            guard let open = names, open.protocol == `protocol` else {
                names = (`protocol`, line)
                continue
            }
            var keys = open.fields
            var table: [String: Int64] = [:]
            while count < Self.countersMax, let key = keys.text(), let value = line.signed() {
                table[key] = value
                count += 1
            }
            values[`protocol`] = table
            names = nil
        }
    }

    /// 0 for a counter that a kernel doesn't have.
    package func callAsFunction(_ protocol: String, _ name: String) -> UInt64 {
        UInt64(max(0, values[`protocol`]?[name] ?? 0))
    }
}

/// Sockets in use, from /proc/net/sockstat and sockstat6: `TCP: inuse 3 orphan 0 …`.
package struct SocketUse: Sendable, Equatable {
    package private(set) var values: [String: [String: UInt64]] = [:]

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) where values.count < 64 {
            guard let name = line.text(before: 0x3A) else { continue }
            var table: [String: UInt64] = [:]
            while table.count < 64, let key = line.text(), let value = line.number() { table[key] = value }
            values[name] = table
        }
    }

    package func callAsFunction(_ protocol: String, _ name: String) -> UInt64? { values[`protocol`]?[name] }
}

/// The counters of one CPU's queue of received packets, a line of /proc/net/softnet_stat.
package struct SoftnetCounters: Sendable, Equatable {
    package static let rowsMax = 8192
    package var cpu: UInt64
    package var processed: UInt64
    /// Packets that found the queue full (net.core.netdev_max_backlog).
    package var dropped: UInt64
    /// Times that the softirq stopped with work left (net.core.netdev_budget).
    package var timeSqueezed: UInt64

    package static func rows(_ bytes: [UInt8]) -> [SoftnetCounters] {
        var rows: [SoftnetCounters] = []
        for var line in Lines(bytes) where rows.count < rowsMax {
            guard let processed = line.hexadecimal(), let dropped = line.hexadecimal(), let squeezed = line.hexadecimal() else { continue }
            // Newer kernels name the CPU in column 13; CPUs that are off have no line.
            let cpu = line.skip(9) ? line.hexadecimal() : nil
            rows.append(SoftnetCounters(cpu: cpu ?? UInt64(rows.count), processed: processed, dropped: dropped, timeSqueezed: squeezed))
        }
        return rows
    }
}

/// The counters of connection tracking, summed over the CPUs, from /proc/net/stat/nf_conntrack: a line of names, then hexadecimal rows.
package struct ConntrackCounters: Sendable, Equatable {
    package private(set) var values: [String: UInt64] = [:]

    package init(_ bytes: [UInt8]) {
        var names: [String] = []
        for var line in Lines(bytes) {
            if names.isEmpty {
                while names.count < 64, let name = line.text() { names.append(name) }
                continue
            }
            for name in names {
                guard let value = line.hexadecimal() else { break }
                // Each row repeats the count of entries, which is the whole table's.
                values[name] = name == "entries" ? value : (values[name] ?? 0).saturatingAdd(value)
            }
        }
    }

    package subscript(_ name: String) -> UInt64? { values[name] }
}
