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

    package init() {}

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            guard let slot = line.range(), bytes[slot.upperBound - 1] == 0x3A, let local = line.range(), line.skip(1),
                let state = line.hexadecimal(), let queues = line.range()
            else { continue }
            count(state)
            guard state == Self.listening else { continue }
            var address = Fields(bytes, local)
            var pair = Fields(bytes, queues)
            guard address.range(before: 0x3A) != nil, let port = address.hexadecimal(), pair.range(before: 0x3A) != nil,
                let waiting = pair.hexadecimal(), line.skip(2), let user = line.number(), line.skip(1), let inode = line.number()
            else { continue }
            add(Listener(port: UInt16(clamping: port), waiting: waiting, user: user, inode: inode))
        }
    }

    private mutating func count(_ state: UInt64, _ sockets: Int = 1) {
        if states[state] != nil || states.count < 64 { states[state, default: 0] += sockets }
    }

    private mutating func add(_ listener: Listener) {
        if listeners.count < Self.listenersMax { listeners.append(listener) }
    }

    package mutating func add(_ others: TCPSockets) {
        for (state, sockets) in others.states { count(state, sockets) }
        listeners += others.listeners.prefix(Self.listenersMax - listeners.count)
    }
}

extension TCPSockets {
    /// Whether an answer of the kernel goes on.
    package enum Answer: Sendable, Equatable {
        case goesOn
        case isComplete
        /// By the number of the error, or nil where the bytes are no such answer.
        case failed(Int32?)
    }

    /// Adds the sockets of one datagram of sock_diag(7): messages of netlink(7) in this machine's byte order, each with a `struct inet_diag_msg`.
    package mutating func take(diagnostics datagram: UnsafeRawBufferPointer) -> Answer {
        var offset = 0
        while datagram.count - offset >= Netlink.headerBytes {
            let length = Int(datagram.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard length >= Netlink.headerBytes, length <= datagram.count - offset else { return .failed(nil) }
            let body = UnsafeRawBufferPointer(rebasing: datagram[offset + Netlink.headerBytes..<offset + length])
            switch datagram.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self) {
            case Netlink.done, Netlink.error:
                let code = body.count >= 4 ? body.loadUnaligned(as: Int32.self) : 0
                return code < 0 ? .failed(code == .min ? nil : -code) : .isComplete
            case Netlink.socketByFamily:
                guard body.count >= Netlink.socketBytes else { return .failed(nil) }
                add(socket: body)
            default: break
            }
            offset += (length + 3) & ~3
        }
        return offset > 0 ? .goesOn : .failed(nil)
    }

    private mutating func add(socket: UnsafeRawBufferPointer) {
        func number(_ offset: Int) -> UInt64 { UInt64(socket.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
        let state = UInt64(socket[1])
        count(state)
        guard state == Self.listening else { return }
        let port = UInt16(socket[4]) << 8 | UInt16(socket[5])
        add(Listener(port: port, waiting: number(56), user: number(64), inode: number(68)))
    }

    /// <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>.
    private enum Netlink {
        static let headerBytes = 16
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let socketByFamily: UInt16 = 20
        static let socketBytes = 72
    }
}
