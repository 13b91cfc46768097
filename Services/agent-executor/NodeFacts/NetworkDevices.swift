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

/// The TCP sockets of /proc/net/tcp or tcp6 (proc_pid_net(5)): how many in each state, and those that listen.
package struct TCPSockets: Sendable, Equatable {
    package struct Listener: Sendable, Equatable {
        package var port: UInt16
        /// Connections that the program has not accepted yet.
        package var waiting: UInt64
        package var user: UInt64
        package var inode: UInt64
    }

    package static let listenersMax = 65_536
    /// By the kernel's number of the state: 1 established, 3 SYN received, 6 time wait, 8 close wait, 10 listening.
    package private(set) var states: [UInt64: Int] = [:]
    package private(set) var listeners: [Listener] = []

    package static let closeWait: UInt64 = 8
    package static let listening: UInt64 = 10

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            guard let slot = line.range(), bytes[slot.upperBound - 1] == 0x3A, let local = line.range(), line.skip(1),
                let state = line.hexadecimal(), let queues = line.range()
            else { continue }
            if states[state] != nil || states.count < 64 { states[state, default: 0] += 1 }
            guard state == Self.listening, listeners.count < Self.listenersMax else { continue }
            var address = Fields(bytes, local)
            var pair = Fields(bytes, queues)
            guard address.range(before: 0x3A) != nil, let port = address.hexadecimal(), pair.range(before: 0x3A) != nil,
                let waiting = pair.hexadecimal(), line.skip(2), let user = line.number(), line.skip(1), let inode = line.number()
            else { continue }
            listeners.append(Listener(port: UInt16(clamping: port), waiting: waiting, user: user, inode: inode))
        }
    }
}
