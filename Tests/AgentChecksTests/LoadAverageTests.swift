import AgentChecks
import AgentOperations
import RecordedHost
import Testing

@Suite struct LoadAverageTests {
    private let check = NodeChecks.all.first { $0.name == "loadAverage" }

    private func machine(_ loads: String) throws -> RecordedHost {
        try RecordedHost(["/proc/loadavg": loads, "/proc/stat": "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n"])
    }

    @Test func succeedsWhenTheLoadIsTooHigh() async throws {
        let machine = try machine("9.50 4.20 1.00 7/300 4242\n")
        let outcome = try await #require(check).run(on: machine.host())
        #expect(outcome.ruledOut == nil)
        #expect(outcome.finding?.severity == .warning)
        #expect(outcome.finding?.summary == "load 9.50, 4.20, 1.00 on 2 processors")
        #expect(outcome.finding?.evidence.last == .init("tasks, runnable of all", "7/300"))
    }

    @Test func isRuledOutBelowItsThreshold() async throws {
        let machine = try machine("9.50 4.20 1.00 7/300 4242\n")
        let outcome = try await #require(check).run(["loadPerProcessor": "2.2"], on: machine.host())
        #expect(outcome.ruledOut == "load 9.50, 4.20, 1.00 on 2 processors")
    }

    @Test(arguments: ["", "x y z", "1.0 2.0"])
    func failsOnWhatItCannotRead(_ text: String) async throws {
        let machine = try machine(text)
        await #expect(throws: BuiltInFault.self) { try await #require(check).run(on: machine.host()) }
    }

    @Test func looksAtTheRealMachine() async throws {
        let outcome = try await #require(check).run(on: RecordedHost.machine())
        #expect(outcome.finding?.summary.hasPrefix("load ") == true)
    }
}
