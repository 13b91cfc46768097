/// The counters of a network interface, a line of /proc/net/dev.
package struct InterfaceCounters: Sendable, Equatable {
    package struct Direction: Sendable, Equatable {
        package var bytes: UInt64 = 0
        package var packets: UInt64 = 0
        package var errors: UInt64 = 0
        package var drops: UInt64 = 0
        package var fifo: UInt64 = 0
    }

    package static let rowsMax = 65_536
    package var name: String
    package var received = Direction()
    package var sent = Direction()
    package var carrierLosses: UInt64 = 0

    package static func rows(_ bytes: [UInt8]) -> [InterfaceCounters] {
        var rows: [InterfaceCounters] = []
        for var line in Lines(bytes) where rows.count < rowsMax {
            guard let name = line.range(before: 0x3A) else { continue }
            var key = Fields(bytes, name)
            guard let name = key.text(), let received = direction(&line), line.skip(3), let sent = direction(&line) else { continue }
            line.skip(1)
            let carrier = line.number() ?? 0
            rows.append(InterfaceCounters(name: name, received: received, sent: sent, carrierLosses: carrier))
        }
        return rows
    }

    private static func direction(_ line: inout Fields) -> Direction? {
        guard let bytes = line.number(), let packets = line.number(), let errors = line.number(), let drops = line.number(),
            let fifo = line.number()
        else { return nil }
        return Direction(bytes: bytes, packets: packets, errors: errors, drops: drops, fifo: fifo)
    }
}
