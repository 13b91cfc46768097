import AgentOperations
import RecordedHost
import Testing

@Suite struct HighLoadTests {
    private func machine(_ loads: String) throws -> RecordedHost {
        try RecordedHost(["/proc/loadavg": loads, "/proc/stat": "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n"])
    }

    @Test func succeedsWhenTheLoadIsTooHigh() async throws {
        let finding = try await check("loadAverage").run(on: machine("9.50 4.20 1.00 7/300 4242\n").host()).fault()
        #expect(finding.severity == .warning)
        #expect(finding.summary == "Load 9.5, 4.2, 1.0 on 2 processors.")
        #expect(finding.number("tasks that run or could") == 7)
    }

    @Test func isRuledOutBelowItsThreshold() async throws {
        let machine = try machine("9.50 4.20 1.00 7/300 4242\n")
        let sentence = try await check("loadAverage").run(["loadPerProcessor": "2.2"], on: machine.host()).sentence()
        #expect(sentence == "Load 9.5, 4.2, 1.0 on 2 processors.")
    }

    @Test(arguments: ["", "x y z", "1.0 2.0"])
    func failsOnWhatItCanNotRead(_ text: String) async throws {
        let machine = try machine(text)
        await #expect(throws: BuiltInFault.self) { try await check("loadAverage").run(on: machine.host()) }
    }

    @Test func looksAtTheTestMachine() async throws {
        let outcome = try await check("loadAverage").run(on: RecordedHost.machine())
        #expect(outcome.finding?.summary.hasPrefix("Load ") == true)
    }
}
