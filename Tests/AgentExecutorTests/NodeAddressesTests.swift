import Foundation
import TestSupport
import Testing

@testable import AgentExecutorService

@Suite struct NodeAddressesTests {
    /// The machine's own tool has the same ones, but for IPv4's link-local addresses and interfaces that lead nowhere.
    @Test func areThoseOfTheMachine() throws {
        let all = try Self.output("hostname", "-I").split(whereSeparator: \.isWhitespace).map(String.init)
        let own = NodeAddresses.current()
        #expect(own.count == Set(own).count)
        #expect(Set(own).isSubset(of: all), "\(own) of \(all)")
        let flags = try Self.output("ip", "-o", "link").matches(of: /\d+: ([^:@]+)[^<]*<([^>]*)>/)
        let nowhere = flags.filter { $0.2.contains("NOARP") && !$0.2.contains("POINTOPOINT") }.map(\.1)
        let addresses = try Self.output("ip", "-o", "address").matches(of: /\d+: (\S+) +inet6? ([^\/ ]+)/)
        let ofThese = addresses.filter { nowhere.contains($0.1) }.map { String($0.2) }
        let expected = all.filter { !ofThese.contains($0) && !$0.hasPrefix("169.254.") }
        #expect(own.count == min(expected.count, NodeAddresses.addressesMax) && Set(own).isSubset(of: expected), "\(own) of \(expected)")
    }

    @Test func whatManyNodesHaveAlikeIsNone() {
        for address in ["169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::2"] {
            #expect(NodeAddresses.isLinkLocal(address), "\(address)")
        }
        for address in ["10.0.0.7", "169.25.0.1", "fd00::7", "fec0::1", "2001:db8::fe80"] {
            #expect(!NodeAddresses.isLinkLocal(address), "\(address)")
        }
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] { #expect(NodeAddresses.isLoopback(host), "\(host)") }
        for host in ["10.0.0.7", "web-07", "::10"] { #expect(!NodeAddresses.isLoopback(host), "\(host)") }
    }

    /// Flags as <net/if.h> has them.
    @Test func interfaces() {
        let (up, loopback, pointToPoint, noARP): (UInt32, UInt32, UInt32, UInt32) = (0x1, 0x8, 0x10, 0x80)
        #expect(NodeAddresses.isOfNode(flags: up))
        #expect(NodeAddresses.isOfNode(flags: up | pointToPoint | noARP), "a tunnel")
        #expect(!NodeAddresses.isOfNode(flags: 0), "down")
        #expect(!NodeAddresses.isOfNode(flags: up | loopback))
        #expect(!NodeAddresses.isOfNode(flags: up | noARP), "a dummy, which holds addresses of services")
    }

    @Test func eachRegistrationTellsThem() async throws {
        try await withAgent(settings: ["--alias", "db,10.9.8.7", "--advertise-address", "http://10.9.8.7:8090"]) { _, scheduler, _ in
            #expect(try await eventually { scheduler.state.withLock { !$0.registrations.isEmpty } })
            let aliases = try #require(scheduler.state.withLock { $0.registrations.last?.aliases })
            #expect(Array(aliases.prefix(2)) == ["db", "10.9.8.7"])
            #expect(
                aliases.count == Set(aliases).count && aliases.suffix(NodeAddresses.current().count) == NodeAddresses.current()[...],
                "\(aliases)")
        }
    }

    private static func output(_ command: String...) throws -> String {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = pipe
        try process.run()
        defer { process.waitUntilExit() }
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
