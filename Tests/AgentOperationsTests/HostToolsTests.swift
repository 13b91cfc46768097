import AgentOperations
import RecordedHost
import Testing

@Suite struct HostToolsTests {
    private static let teller = BuiltInDeclaration.Tool("teller", package: "teller-utils")

    @Test func runsProgramsWithoutAShell() async throws {
        let machine = try RecordedHost()
        try machine.putTool("teller", "#!/bin/sh\nprintf '%s|' \"$@\"\ncat\necho said >&2\nexit 3\n")
        let output = try await machine.host(hasMachineTools: true).tools.run(
            Self.teller, ["a b", "$(id)", "--x"], input: Array("in".utf8))
        #expect(output.status == 3)
        #expect(output.text == "a b|$(id)|--x|in")
        #expect(output.lastLine == "said")
    }

    @Test func namesTheToolThatIsMissing() async throws {
        let machine = try RecordedHost()
        await #expect(throws: BuiltInFault.toolMissing(tool: "teller", package: "teller-utils")) {
            try await machine.host().tools.run(Self.teller, [])
        }
    }

    @Test func endsAToolThatHangs() async throws {
        let machine = try RecordedHost()
        try machine.putTool("teller", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")
        await #expect(throws: BuiltInFault.timedOut("teller did not end within 0.3 s")) {
            try await machine.host(hasMachineTools: true).tools.run(Self.teller, [], seconds: 0.3)
        }
    }

    @Test func cutsAnEndlessOutput() async throws {
        let machine = try RecordedHost()
        try machine.putTool("teller", "#!/bin/sh\nhead -c 3000000 /dev/zero\n")
        let output = try await machine.host(hasMachineTools: true).tools.run(Self.teller, [], outputBytesMax: 1000)
        #expect(output.standardOutput.count == 1000)
        #expect(output.isCut)
    }
}
