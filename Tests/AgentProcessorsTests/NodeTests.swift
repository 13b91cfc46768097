import AgentOperations
import AgentProcessors
import Foundation
import JSONCoding
import RecordedHost
import Testing

@Suite("Node processors") struct NodeTests {
    private func operation(_ name: String) throws -> BuiltIn { try Processors(kubernetes: nil, node: "n1").operation(name) }

    private static func stat(_ pid: Int, _ name: String, parent: Int = 1, ticks: Int = 4_320_000, cpu: Int = 0, flags: Int = 0) -> String {
        "\(pid) (\(name)) S \(parent) \(pid) \(pid) 0 -1 \(flags) 0 0 0 0 \(cpu) 0 0 0 20 5 1 0 \(ticks) 1048576 256 "
            + String(repeating: "0 ", count: 13) + "17 0 0 0 0 0 0\n"
    }

    @Test func processesOfARecordedMachine() async throws {
        let machine = try RecordedHost(
            [
                "/proc/1/stat": Self.stat(1, "systemd", parent: 0, ticks: 5), "/proc/1/cmdline": "/sbin/init\0",
                "/proc/77/stat": Self.stat(77, "a (b) c", ticks: 8_630_000, cpu: 500), "/proc/77/cmdline": "prog\0--x\0\0y z\0",
                "/proc/88/stat": "cut", "/proc/88/cmdline": "", "/proc/99/stat": Self.stat(99, "gone"), "/proc/self/stat": "x",
            ], uptimeSeconds: 86_400)
        let outcome = try await operation("processCollector").run(on: machine.host())
        let processes = try #require(outcome.json("collector.system.process.list").arrayValue)
        #expect(processes.map { $0["pid"] } == [1, 77], "one that is gone or cut is left out")
        let process = processes[1]
        #expect(process["command"] == ["prog", "--x", "", "y z"])
        #expect(process["name"] == "a (b) c" && process["ppid"] == 1 && process["nice"] == 5 && process["status"] == "S")
        // 5 s of CPU in the 100 s since it was started.
        #expect(process["cpuPercent"]?.numberValue == 5)
        #expect(process["memoryInfo"] == ["rss": 1_048_576, "vms": 1_048_576])
        #expect(process["startTicks"] == 8_630_000)
        let fault = BuiltInFault.unreadable(path: "/proc", reason: "it is not there")
        await #expect(throws: fault) { try await operation("processCollector").run(on: RecordedHost().host()) }
    }

    @Test func processesOfThisMachine() async throws {
        let outcome = try await operation("processCollector").run(on: RecordedHost.machine())
        let processes = try #require(outcome.json("collector.system.process.list").arrayValue)
        let own = try #require(processes.first { $0["pid"]?.integerValue == Int64(getpid()) })
        #expect(own["ppid"]?.integerValue == Int64(getppid()))
        #expect(own["command"]?.arrayValue?.first?.stringValue == CommandLine.arguments.first)
        let resident = try #require(own[path: "memoryInfo", "rss"]?.integerValue)
        #expect(resident > 1 << 20)
    }

    @Test func mounts() async throws {
        let text = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        let outcome = try await operation("mountInfoCollector").run(on: RecordedHost(["/proc/1/mountinfo": text]).host())
        #expect(try outcome.text("collector.system.mountinfo") == text)
        await #expect(throws: BuiltInFault.unreadable(path: "/proc/1/mountinfo", reason: "it is not there")) {
            try await operation("mountInfoCollector").run(on: RecordedHost().host())
        }
    }

    @Test func unitsOfSystemd() async throws {
        let machine = try RecordedHost()
        try machine.putTool(
            "systemctl",
            """
            #!/bin/sh
            [ "$4" = broken.service ] && { echo 'Failed to get properties: Access denied' >&2; exit 1; }
            printf 'Id=%s\\nArguments=%s\\nDescription=a=b\\n' "$4" "$*"
            """)
        let host = try machine.host(hasMachineTools: true)
        let key = "collector.systemd_unit_list.parameter"
        let outcome = try await operation("systemdUnitCollector").run([key: "a.service,dev-disk-by\\x2dlabel.device"], on: host)
        let units = try outcome.json("collector.systemd_unit_list.result")
        #expect(units.arrayValue?.map { $0["name"] } == ["a.service", "dev-disk-by\\x2dlabel.device"])
        #expect(
            units.arrayValue?.first?["properties"] == [
                ["name": "Id", "value": "a.service"], ["name": "Arguments", "value": "show --no-pager -- a.service"],
                ["name": "Description", "value": "a=b"],
            ])
        await #expect(throws: BuiltInFault.failed("systemctl show broken.service: Failed to get properties: Access denied")) {
            try await operation("systemdUnitCollector").run([key: "broken.service"], on: host)
        }
        for bad in ["--all", "a.service,-b", "a b", "a,,b", "../x", "$(id)", Array(repeating: "a", count: 33).joined(separator: ",")] {
            await #expect { try await operation("systemdUnitCollector").run([key: bad], on: host) } throws: {
                if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
            }
        }
        await #expect(throws: BuiltInFault.toolMissing(tool: "systemctl", package: "systemd")) {
            try await operation("systemdUnitCollector").run([key: "a.service"], on: RecordedHost().host())
        }
    }

    @Test func whatSaysNothingOfAUnitIsNoAnswer() async throws {
        let machine = try RecordedHost()
        for nonsense in ["", "garbage"] {
            try machine.putTool("systemctl", "#!/bin/sh\necho '\(nonsense)'\n")
            let host = try machine.host(hasMachineTools: true)
            await #expect(throws: BuiltInFault.failed("systemctl show a.service said nothing of the unit")) {
                try await operation("systemdUnitCollector").run(["collector.systemd_unit_list.parameter": "a.service"], on: host)
            }
        }
    }

    @Test func inAContainerProgramsRunInTheNodesNamespaces() async throws {
        let machine = try RecordedHost()
        try machine.putLink("/proc/1/ns/mnt", to: "mnt:[1]")
        try machine.putLink("/proc/self/ns/mnt", to: "mnt:[2]")
        try machine.putTool(
            "nsenter", "#!/bin/sh\ncase \"$*\" in *missing*) echo 'nsenter: failed to execute' >&2; exit 127;; esac\necho \"Args=$*\"\n")
        let host = try machine.host(hasMachineTools: true)
        let key = "collector.systemd_unit_list.parameter"
        let outcome = try await operation("systemdUnitCollector").run([key: "a.service"], on: host)
        #expect(
            try outcome.json("collector.systemd_unit_list.result").arrayValue?.first?["properties"] == [
                ["name": "Args", "value": "-t 1 -m -u -i -n -p -- systemctl show --no-pager -- a.service"]
            ])
        await #expect(throws: BuiltInFault.toolMissing(tool: "systemctl", package: "systemd")) {
            try await operation("systemdUnitCollector").run([key: "missing.service"], on: host)
        }
    }
}
