import AgentOperations
import Glibc
import NodeFacts
import RecordedHost
import TestSupport
import Testing

@testable import AgentChecks

@Suite struct NetworkCheckTests {
    private static let stat = "entries  searched found new invalid ignore delete delete_list insert insert_failed drop early_drop\n"

    @Test func tellsAFullConntrackTable() async throws {
        let folder = "/proc/sys/net/netfilter"
        let machine = try RecordedHost(
            [
                "/proc/net/dev": "", "\(folder)/nf_conntrack_count": "800\n", "\(folder)/nf_conntrack_max": "1000\n",
                "/proc/net/stat/nf_conntrack": Self.stat + "320 0 0 0 0 0 0 0 0 0 0 0\n320 0 0 0 0 0 0 0 0 0 0 0\n",
            ])
        let finding = try await check("conntrack").run(on: machine.host()).fault()
        #expect(finding.severity == .warning && finding.summary == "800 of 1000 connections are tracked (80 %).")
        machine.onSleep { try $0.put("/proc/net/stat/nf_conntrack", Self.stat + "320 0 0 0 0 0 0 0 0 0 5 0\n320 0 0 0 0 0 0 0 0 0 1 0\n") }
        let dropping = try await check("conntrack").run(["usagePercent": "90"], on: machine.host()).fault()
        #expect(
            dropping.severity == .critical
                && dropping.summary == "800 of 1000 connections are tracked (80 %); 6 packets were dropped meanwhile.")
        #expect(try await check("conntrack").run(["usagePercent": "90"], on: machine.host()).ruledOut != nil)
        try machine.remove(folder)
        #expect(try await check("conntrack").run(on: machine.host()).sentence().contains("not tracked"))
        try machine.remove("/proc/net/dev")
        await #expect(throws: BuiltInFault.unreadable(path: "/proc/net/dev", reason: "it is not there")) {
            try await check("conntrack").run(on: machine.host())
        }
    }

    private static func counters(sent: Int, again: Int, overflows: Int) -> (snmp: String, netstat: String) {
        (
            "Tcp: OutSegs RetransSegs\nTcp: \(sent) \(again)\n",
            "TcpExt: ListenOverflows ListenDrops TCPTimeouts\nTcpExt: \(overflows) \(overflows) 3\n"
        )
    }

    private func put(_ machine: RecordedHost, sent: Int, again: Int, overflows: Int) throws {
        let counters = Self.counters(sent: sent, again: again, overflows: overflows)
        try machine.put("/proc/net/snmp", counters.snmp)
        try machine.put("/proc/net/netstat", counters.netstat)
    }

    @Test func tellsDroppedConnectionsAndLostSegments() async throws {
        let machine = try RecordedHost(
            [
                "/proc/net/tcp":
                    "sl\n   0: 00000000:0050 00000000:0000 0A 00000000:00000081 00:00000000 00000000 0 0 10 1\n   1: 0:1 0:2 08 0:0\n"
            ])
        try put(machine, sent: 1000, again: 10, overflows: 5)
        machine.onSleep { try put($0, sent: 2000, again: 110, overflows: 12) }
        let finding = try await check("tcpHealth").run(on: machine.host()).fault()
        #expect(
            finding.summary
                == "7 connection attempts were dropped by full queues in 5 s; the longest accept queue, of port 80, holds 129; 100 of 1000 segments (10 %) were sent again in 5 s."
        )
        #expect(finding.number("connections that wait for close") == 1)
        try put(machine, sent: 2000, again: 110, overflows: 12)
        machine.onSleep { try put($0, sent: 2050, again: 130, overflows: 12) }
        let quiet = try await check("tcpHealth").run(on: machine.host()).sentence()
        #expect(quiet == "0 connection attempts were dropped by full queues in 5 s, 20 of 50 segments were sent again.")
        try machine.remove("/proc/net/snmp")
        await #expect(throws: BuiltInFault.self) { try await check("tcpHealth").run(on: machine.host()) }
    }

    /// Fills the accept queue of a server that never accepts, on the test machine itself.
    @Test func seesARealOverflow() async throws {
        let server = try Listener(backlog: 1)
        defer { server.close() }
        async let outcome = check("tcpHealth").run(["sampleSeconds": "3"], on: RecordedHost.machine())
        try await Task.sleep(for: .milliseconds(300))
        let clients = (0..<8).map { _ in server.connect() }
        defer { for client in clients { Glibc.close(client) } }
        let finding = try await outcome.fault()
        #expect(finding.number("accept queue of port \(server.port)") == 2, "\(finding)")
        #expect(finding.summary.contains("dropped by full queues"))
    }

    /// The kernel's answer by netlink and its files tell the same of sockets that are the test's own.
    @Test func socketsAreThoseOfTheFiles() async throws {
        let server = try Listener(backlog: 5)
        defer { server.close() }
        let clients = (0..<3).map { _ in server.connect() }
        defer { for client in clients { Glibc.close(client) } }
        let told = try await RecordedHost.machine().read { (files) throws(BuiltInFault) in try TCPSockets(files) }
        let files = try TCPSockets(HostFiles().read("/proc/net/tcp"))
        let own = told.listeners.filter { $0.port == server.port }
        #expect(own.map(\.waiting) == [3])
        #expect(own == files.listeners.filter { $0.port == server.port })
        #expect(
            Set(told.states.keys).isSubset(of: [TCPSockets.listening, TCPSockets.closeWait]),
            "asked of the kernel, not read: \(told.states)")
        // Without IPv6 there are none of that family, which is no fault.
        #expect(try HostFiles().readTCPSockets(isIPv6: true, states: 1 << 10) { _ in false })
    }

    private static func softnet(_ rows: [(Int, Int, Int)]) -> String {
        rows.enumerated().map { index, row in
            [row.0, row.1, row.2, 0, 0, 0, 0, 0, 0, 0, 0, 0, index].map { String($0, radix: 16) }.joined(separator: " ") + "\n"
        }.joined()
    }

    @Test func tellsPacketsThatNoCPUTook() async throws {
        let machine = try RecordedHost(["/proc/net/softnet_stat": Self.softnet([(100, 0, 0), (100, 7, 0)])])
        #expect(
            try await check("softnet").run(on: machine.host()).ruledOut
                == "0 of 0 received packets were dropped before a CPU took them in 5 s.")
        machine.onSleep { try $0.put("/proc/net/softnet_stat", Self.softnet([(1100, 0, 1000), (100, 10, 0)])) }
        let finding = try await check("softnet").run(on: machine.host()).fault()
        #expect(
            finding.summary
                == "3 of 1000 received packets were dropped before a CPU took them in 5 s; CPU 0 stopped with packets left 200 times a second."
        )
        #expect(finding.number("CPU 1 dropped") == 3)
        try machine.put("/proc/net/softnet_stat", "")
        await #expect(throws: BuiltInFault.self) { try await check("softnet").run(on: machine.host()) }
        #expect(try await check("softnet").run(["sampleSeconds": "0.1"], on: RecordedHost.machine()).finding != nil)
    }

    private static func device(_ name: String, packets: Int, errors: Int) -> String {
        "\(name): 1 \(packets) \(errors) 0 0 0 0 0 1 \(packets) 0 0 0 0 0 0\n"
    }

    @Test func tellsErrorsAndLostCarriers() async throws {
        let machine = try RecordedHost(
            [
                "/proc/net/dev": Self.device("lo", packets: 1, errors: 1) + Self.device("eth0", packets: 100, errors: 1)
                    + Self.device("eth1", packets: 0, errors: 0),
                "/sys/class/net/eth0/flags": "0x1003\n", "/sys/class/net/eth0/carrier": "1\n", "/sys/class/net/eth0/speed": "1000\n",
                "/sys/class/net/eth0/duplex": "full\n", "/sys/class/net/eth0/carrier_changes": "2\n",
                "/sys/class/net/eth1/flags": "0x1003\n", "/sys/class/net/eth1/carrier": "0\n", "/sys/class/net/eth1/device/vendor": "x",
            ])
        machine.onSleep {
            try $0.put(
                "/proc/net/dev",
                Self.device("lo", packets: 1, errors: 1) + Self.device("eth0", packets: 200, errors: 6)
                    + Self.device("eth1", packets: 0, errors: 0))
            try $0.put("/sys/class/net/eth0/carrier_changes", "4\n")
        }
        let finding = try await check("networkInterfaces").run(on: machine.host()).fault()
        #expect(finding.severity == .critical)
        #expect(
            finding.summary == "Within 5 s: eth0 changed its carrier 2 times and had errors in 5 % of its packets; eth1 has no carrier.")
        #expect(finding.texts("eth0") == ["carrier, 1000 Mbit/s, full duplex"])
        let one = try await check("networkInterfaces").run(["device": "eth0"], on: machine.host()).sentence()
        #expect(one == "1 network interface watched for 5 s, no errors, drops or lost carriers to report.")
        await #expect(throws: BuiltInFault.parameter("device", "\"eth9\" is no interface of this node")) {
            try await check("networkInterfaces").run(["device": "eth9"], on: machine.host())
        }
        await #expect(throws: BuiltInFault.self) { try await check("networkInterfaces").run(["device": "../x"], on: machine.host()) }
        #expect(try await check("networkInterfaces").run(["sampleSeconds": "0.1"], on: RecordedHost.machine()).finding != nil)
    }
}
