import AgentOperations
import AgentProcessors
import Foundation
import JSONCoding
import KubernetesTestServer
import RecordedHost
import Testing

@Suite("Packets", .serialized) struct TcpdumpTests {
    private static let prefix = "param.diagnoser.runtime.tcpdump_profiler."

    private func parameters(_ values: [String: String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: values.map { ($0.contains(".") ? $0 : Self.prefix + $0, $1) })
    }

    private func operation(_ processors: Processors = Processors(kubernetes: nil, node: "n1")) throws -> BuiltIn {
        try processors.operation("tcpdumpProfiler")
    }

    private static let sender = "while :; do echo x > /dev/udp/127.0.0.1/9; sleep 0.02; done"

    @Test func packetsOfTheNode() async throws {
        let sender = try ChildProcess("/bin/bash", ["-c", Self.sender])
        let machine = try MachineWithTools()
        let outcome = try await machine.run(
            operation(), parameters(["interface": "lo", "filter": "udp and dst port 9", "seconds": "20", "packets": "5"]), seconds: 30)
        let path = try outcome.text("diagnoser.runtime.tcpdump_profiler.result.Endpoint")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.prefix(4) == Data([0xD4, 0xC3, 0xB2, 0xA1]))
        #expect(try outcome.text("diagnoser.runtime.tcpdump_profiler.result.packets").hasPrefix("5 packets captured"))
        #expect(outcome.files.map(\.contentType) == ["application/vnd.tcpdump.pcap"])
        #expect(sender.isRunning)
    }

    @Test func whatCameWhenTheTimeIsUpIsThere() async throws {
        let sender = try ChildProcess("/bin/bash", ["-c", Self.sender])
        let machine = try MachineWithTools()
        let outcome = try await machine.run(
            operation(), parameters(["interface": "lo", "filter": "udp and dst port 9", "seconds": "1"]))
        let counts = try outcome.text("diagnoser.runtime.tcpdump_profiler.result.packets")
        let captured = try #require(Int(counts.prefix { $0 != " " }))
        #expect(captured > 5, "\(counts)")
        let size = try FileManager.default.attributesOfItem(atPath: "\(machine.evidence.path)/packets.pcap")[.size] as? Int
        // A head of 24 bytes; each packet has 16 bytes of its own and is a UDP datagram of two bytes in an Ethernet frame.
        #expect(size == 24 + captured * (16 + 14 + 20 + 8 + 2))
        #expect(sender.isRunning)
    }

    @Test func nothingComesAndTheTimeEndsIt() async throws {
        let machine = try MachineWithTools()
        let outcome = try await machine.run(operation(), parameters(["interface": "lo", "filter": "udp port 7", "seconds": "1"]))
        #expect(try outcome.text("diagnoser.runtime.tcpdump_profiler.result.packets").hasPrefix("0 packets captured"))
        #expect(try machine.files == ["packets.pcap"])
    }

    @Test func packetsOfAPodAlone() async throws {
        // A network namespace with its own loopback, as a pod has.
        let pod = try ChildProcess("/usr/bin/unshare", ["-n", "/bin/bash", "-c", "ip link set lo up; \(Self.sender)"])
        for (runtime, id) in [("docker", "c1"), ("containerd", "c2")] {
            let peer = try DockerPeer(["/containers/c1/json": .init(body: "{\"State\":{\"Pid\":\(pod.pid)}}")])
            let crictl = "[ \"$*\" = 'inspect -o json c2' ] || exit 9\necho '{\"info\":{\"pid\":\(pod.pid)}}'"
            let machine = try MachineWithTools(["crictl": crictl])
            try await ClusterFixture.with(ContainerRuntimes(dockerSocket: peer.socket)) { fixture in
                var object = KubernetesObjects.pod("shop", "web-0", on: "n1")
                object["status"]?["containerStatuses"] = [["name": "main", "containerID": "\(runtime)://\(id)"]]
                fixture.server.put(object)
                let values = [
                    "pod.namespace": "shop", "pod.name": "web-0", "filter": "udp and dst port 9", "seconds": "20", "packets": "5",
                ]
                let outcome = try await machine.run(operation(fixture.processors), parameters(values), seconds: 30)
                #expect(try outcome.text("diagnoser.runtime.tcpdump_profiler.result.packets").hasPrefix("5 packets captured"))
                // The node's own loopback has none of them.
                let other = try MachineWithTools()
                let none = try await other.run(operation(), parameters(["filter": "udp and dst port 9", "seconds": "1"]))
                #expect(try none.text("diagnoser.runtime.tcpdump_profiler.result.packets").hasPrefix("0 packets captured"))
                await #expect(throws: BuiltInFault.failed("the pod shop/web-0 has no running container other")) {
                    try await machine.run(
                        operation(fixture.processors), parameters(values.merging(["container": "other"]) { $1 }), seconds: 30)
                }
            }
        }
    }

    @Test func inAContainerTheNodesNetworkIsMeant() async throws {
        let machine = try RecordedHost()
        try machine.putLink("/proc/1/ns/net", to: "net:[1]")
        try machine.putLink("/proc/self/ns/net", to: "net:[2]")
        for tool in ["nsenter", "tcpdump", "timeout"] {
            try machine.putTool(tool, "#!/bin/sh\necho \"$0 $*\" >> \"$(dirname \"$0\")/log\"\necho '0 packets captured' >&2\n")
        }
        let folder = machine.root
        let context = try BuiltInContext(
            operation().declaration, values: [:], timeoutSeconds: 30,
            folder: EvidenceFolderAccess(bytesMax: 1000) { name in "\(folder)/\(name)" })
        _ = try await operation().run(context, machine.host(hasMachineTools: true))
        let tools = "/usr/local/recorded-tools"
        let log = try machine.host().files.text("\(tools)/log")
        #expect(log.hasPrefix("\(folder)\(tools)/nsenter -t 1 -n -- \(folder)\(tools)/timeout --foreground --signal=INT"))
        #expect(log.split(separator: "\n").count == 1)
    }

    @Test func theFilterIsOneArgumentAndTheSizeHasAnEnd() async throws {
        let tools = [
            "tcpdump": "printf '%s|' \"$@\" > \"$(dirname \"$0\")/arguments\"\nhead -c 300000 /dev/zero\necho '9 packets captured' >&2"
        ]
        let machine = try MachineWithTools(tools)
        _ = try await machine.run(operation(), parameters(["filter": "port 80 -w /etc/x $(id)"]), bytesMax: 100_000)
        let arguments = try String(contentsOfFile: "\(machine.folder.path)/arguments", encoding: .utf8)
        #expect(arguments.hasSuffix("|-w|-|--|port 80 -w /etc/x $(id)|"))
        let size = try FileManager.default.attributesOfItem(atPath: "\(machine.evidence.path)/packets.pcap")[.size] as? Int
        #expect(size == 100_000)
    }

    @Test func whatIsRefused() async throws {
        let machine = try MachineWithTools(["tcpdump": "touch \"$(dirname \"$0\")/called\""])
        for values in [
            ["filter": "-w /etc/passwd"], ["filter": "  -z sh"], ["filter": "a\nb"], ["interface": "-w"], ["interface": "a b"],
            ["seconds": "0"], ["seconds": "-1"], ["seconds": "100000000000000000000"], ["packets": "1000001"], ["snaplen": "70000"],
            ["seconds": "58"], ["pod.name": "web-0"], ["container": "../x"],
        ] {
            await #expect { try await machine.run(operation(), parameters(values)) } throws: {
                if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
            }
        }
        #expect(access("\(machine.folder.path)/called", F_OK) != 0)
        await #expect(throws: BuiltInFault.toolMissing(tool: "tcpdump", package: "tcpdump")) {
            try await MachineWithTools(hasMachineTools: false).run(operation(), [:])
        }
        for (said, isPrivilege) in [("tcpdump: eth0: You don't have permission to capture", true), ("tcpdump: syntax error", false)] {
            let failing = try MachineWithTools(["tcpdump": "echo \"\(said)\" >&2; exit 1"])
            await #expect { try await failing.run(operation(), [:]) } throws: {
                switch $0 as? BuiltInFault {
                case .privilegeMissing(let what, _): isPrivilege && what.contains(said)
                case .failed(let text): !isPrivilege && text == "tcpdump failed: \(said)"
                default: false
                }
            }
        }
    }

    @Test func oneThatHangsIsEnded() async throws {
        let machine = try MachineWithTools(["tcpdump": "trap '' INT TERM\nwhile :; do sleep 1; done"])
        let start = ContinuousClock.now
        await #expect { try await machine.run(operation(), parameters(["seconds": "1"]), seconds: 10) } throws: {
            if case .failed = $0 as? BuiltInFault { true } else { false }
        }
        #expect(ContinuousClock.now - start < .seconds(9))
    }
}
