import NodeFacts
import Testing

@Suite struct NetworkTests {
    @Test func readsProtocolCounters() {
        let counters = ProtocolCounters(
            bytes(
                """
                Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens OutSegs RetransSegs
                Tcp: 1 200 120000 -1 21 2536 17
                TcpExt: ListenOverflows ListenDrops TCPNew
                TcpExt: 5 6
                Alone: A B
                IpExt: InOctets
                IpExt: 188188289
                """))
        #expect(counters("Tcp", "RetransSegs") == 17 && counters("Tcp", "MaxConn") == 0 && counters.values["Tcp"]?["MaxConn"] == -1)
        #expect(counters("TcpExt", "ListenDrops") == 6 && counters("TcpExt", "TCPNew") == 0 && counters("IpExt", "InOctets") == 188_188_289)
        #expect(counters("Alone", "A") == 0 && counters("No", "A") == 0)
        #expect(ProtocolCounters(bytes("Tcp: A\nTcp: 99999999999999999999999\n"))("Tcp", "A") == UInt64(Int64.max))
    }

    @Test func readsSocketUse() {
        let use = SocketUse(bytes("sockets: used 13\nTCP: inuse 1 orphan 0 tw 4 alloc 1 mem 129\nFRAG: inuse\n"))
        #expect(use("TCP", "mem") == 129 && use("TCP", "tw") == 4 && use("sockets", "used") == 13 && use("FRAG", "inuse") == nil)
    }

    @Test func readsSoftnet() {
        let new = SoftnetCounters.rows(
            bytes(
                "00000014 00000000 0000000a 0 0 0 0 0 0 00000000 00000000 00000000 00000000\n00001094 00000003 0 0 0 0 0 0 0 0 0 0 00000002 0 0\n"
            ))
        #expect(new.map(\.cpu) == [0, 2] && new[0].processed == 20 && new[0].timeSqueezed == 10 && new[1].dropped == 3)
        let old = SoftnetCounters.rows(bytes("000272da 00000000 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"))
        #expect(old.map(\.cpu) == [0] && old[0].timeSqueezed == 1)
    }

    @Test func readsConntrack() {
        let counters = ConntrackCounters(
            bytes("entries  searched found insert_failed drop\n0000000a 00000001 00000002 00000003 00000004\n0000000a  0 0 1 ff\n"))
        #expect(counters["entries"] == 10 && counters["drop"] == 259 && counters["insert_failed"] == 4 && counters["other"] == nil)
        #expect(ConntrackCounters(bytes("")).values.isEmpty)
    }

    @Test func readsInterfaces() {
        let rows = InterfaceCounters.rows(
            bytes(
                """
                Inter-|   Receive                                                |  Transmit
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                  eth0: 188244570    4235    1    2    3     4          5         6   274977    2558    7    8    9      10       11        12
                eth1:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
                  cut: 1 2 3
                """))
        #expect(rows.map(\.name) == ["eth0", "eth1"])
        #expect(rows[0].received.errors == 1 && rows[0].received.drops == 2 && rows[0].sent.drops == 8 && rows[0].carrierLosses == 11)
        #expect(rows[1].received.bytes == 1 && rows[1].sent.packets == 10)
    }

    @Test func readsSockets() throws {
        let header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        let sockets = TCPSockets(
            bytes(
                header + """
                       0: 00000000:07E8 00000000:0000 0A 00000000:00000081 00:00000000 00000000  1000        0 1076 1 0000 100 0 0 10 0
                       1: 0100007F:9C40 0100007F:07E8 01 00000000:00000000 00:00000000 00000000     0        0 1077 1 0000 20 4 30 10 -1
                       2: 0100007F:9C40 0100007F:07E8 08 0000
                    """))
        #expect(sockets.states == [10: 1, 1: 1, TCPSockets.closeWait: 1])
        let listener = try #require(sockets.listeners.first)
        #expect(listener.port == 2024 && listener.waiting == 129 && listener.inode == 1076 && listener.user == 1000)
        let six = TCPSockets(
            bytes(header + "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 9 1\n"))
        #expect(six.listeners.map(\.port) == [22])
    }

    /// A message of netlink(7): its header and what it carries.
    private static func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        var bytes = little(UInt32(16 + body.count)) + little(type) + little(UInt16(2)) + little(UInt32(1)) + little(UInt32(0)) + body
        while bytes.count % 4 != 0 { bytes.append(0xFF) }
        return bytes
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian, Array.init)
    }

    /// A `struct inet_diag_msg` (<linux/inet_diag.h>).
    private static func socket(state: UInt8, port: UInt16, waiting: UInt32, user: UInt32 = 0, inode: UInt32 = 0) -> [UInt8] {
        let ports = [UInt8(port >> 8), UInt8(port & 0xFF), 0, 0]
        let queues = little(waiting) + little(UInt32(128)) + little(user) + little(inode)
        return message(20, [2, state, 0, 0] + ports + [UInt8](repeating: 7, count: 48) + queues)
    }

    private static func take(_ bytes: [UInt8], _ sockets: inout TCPSockets) -> TCPSockets.Answer {
        bytes.withUnsafeBytes { sockets.take(diagnostics: $0) }
    }

    @Test func readsSocketDiagnostics() {
        var sockets = TCPSockets()
        let first =
            Self.message(1, [0, 0]) + Self.socket(state: 10, port: 2024, waiting: 129, user: 1000, inode: 1076)
            + Self.socket(state: 8, port: 80, waiting: 1)
        #expect(Self.take(first, &sockets) == .goesOn)
        #expect(Self.take(Self.socket(state: 8, port: 81, waiting: 0) + Self.message(3, Self.little(Int32(0))), &sockets) == .isComplete)
        #expect(sockets.states == [TCPSockets.listening: 1, TCPSockets.closeWait: 2])
        #expect(sockets.listeners.map { [UInt64($0.port), $0.waiting, $0.user, $0.inode] } == [[2024, 129, 1000, 1076]])

        #expect(Self.take(Self.message(2, Self.little(Int32(-2)) + [0, 0]), &sockets) == .failed(2), "no such protocol")
        #expect(Self.take(Self.message(3, Self.little(Int32(-105))), &sockets) == .failed(105))
        #expect(Self.take([], &sockets) == .failed(nil))
        #expect(Self.take(Self.message(20, [2, 10, 0, 0]), &sockets) == .failed(nil), "a socket that is cut off")
        #expect(Self.take(Array(first.dropLast()), &sockets) == .failed(nil), "a message that is cut off")
        #expect(
            Self.take(Self.little(UInt32(3)) + [UInt8](repeating: 0, count: 20), &sockets) == .failed(nil),
            "a message shorter than its header")
    }

    @Test func readsResolvers() {
        let resolvers = ResolverConfiguration(
            bytes(
                """
                # comment
                ; other
                nameserver 10.96.0.10
                nameserver fe80::1%eth0
                domain old.example
                search default.svc.cluster.local svc.cluster.local
                options ndots:5 timeout:2
                options rotate
                nameserver
                """))
        #expect(resolvers.servers == ["10.96.0.10", "fe80::1%eth0"])
        #expect(resolvers.searchDomains == ["default.svc.cluster.local", "svc.cluster.local"])
        #expect(resolvers.option("ndots") == 5 && resolvers.option("timeout") == 2 && resolvers.option("attempts") == nil)
    }

    @Test func readsClockKeepers() {
        #expect(ClockSynchronization(timedatectl: bytes("Timezone=UTC\nNTP=yes\nNTPSynchronized=no\n"))?.isSynchronized == false)
        #expect(ClockSynchronization(timedatectl: bytes("Timezone=UTC\n")) == nil)
        let tracking = "C0A80001,ntp.example,3,1790000000.1,-0.000123,0.00001,0.00002,1.5,0.01,0.02,0.001,0.002,64.2,Normal\n"
        let clock = ClockSynchronization(chronyTracking: bytes(tracking))
        #expect(clock?.isSynchronized == true && clock?.offsetSeconds == -0.000123 && clock?.source == "ntp.example")
        #expect(
            ClockSynchronization(chronyTracking: bytes(tracking.replacing("Normal", with: "Not synchronised")))?.isSynchronized == false)
        #expect(ClockSynchronization(chronyTracking: bytes(tracking.replacing("-0.000123", with: "nan"))) == nil)
        #expect(ClockSynchronization(chronyTracking: bytes("506 Cannot talk to daemon")) == nil)
    }

    @Test func readsBlocksOfProperties() {
        let blocks = Properties.blocks(bytes("Id=a.service\nNRestarts=3\nExecStart={ a=b }\n\n\nId=b.service\nnoise\n"))
        #expect(blocks == [["Id": "a.service", "NRestarts": "3", "ExecStart": "{ a=b }"], ["Id": "b.service"]])
    }
}
