import AgentOperations
import Glibc
import HTTPClient
import ProcessRunner
import RecordedHost
import Synchronization
import TestSupport
import Testing

@Suite struct BuiltInExecutionTests {
    private static func operation(_ run: @escaping BuiltIn.Run) -> BuiltIn {
        BuiltIn(BuiltInDeclaration("probe", "Probes.", succeedsWhen: "it is asked"), run: run)
    }

    private func execute(_ builtIn: BuiltIn, on host: Host, seconds: Double) async throws(BuiltInFault) -> BuiltInOutcome {
        let context = try BuiltInContext(builtIn.declaration, values: [:], timeoutSeconds: seconds)
        return try await BuiltInExecution(builtIn, context, on: host).run()
    }

    @Test func givesValuesWithTheFindingFirst() async throws {
        let machine = try RecordedHost()
        let builtIn = Self.operation { _, _ in .found(Finding(.warning, "it was asked"), [.init("answer", .text("42"))]) }
        let outcome = try await execute(builtIn, on: machine.host(), seconds: 5)
        let values = outcome.values(of: builtIn.declaration)
        #expect(values.map(\.key) == ["probe.summary", "probe.finding", "answer"])
        #expect(values[1].value.text == #"{"evidence":[],"severity":"Warning","summary":"it was asked"}"#)
    }

    @Test func endsWhatSleepsAtItsDeadline() async throws {
        let host = try RecordedHost.machine()
        let builtIn = Self.operation { (_, host) throws(BuiltInFault) in
            try await host.sleep(seconds: 60)
            return .done()
        }
        await #expect(throws: BuiltInFault.timedOut("it did not end within 0.2 s")) {
            try await execute(builtIn, on: host, seconds: 0.2)
        }
    }

    @Test func endsTheProgramsThatItRuns() async throws {
        let machine = try RecordedHost()
        try machine.putTool("sleeper", "#!/bin/sh\nexec sleep 600\n")
        let builtIn = Self.operation { (_, host) throws(BuiltInFault) in
            _ = try await host.tools.run(.init("sleeper", package: "none"), [])
            return .done()
        }
        let host = try machine.host(hasMachineTools: true)
        await #expect {
            try await execute(builtIn, on: host, seconds: 0.3)
        } throws: { error in
            // A machine so loaded that the program's end takes longer than the grace does not tell which it was.
            let late = "it did not end within 0.3 s"
            return [late, "\(late): sleeper was still running"].contains { error as? BuiltInFault == .timedOut($0) }
        }
    }

    @Test func leavesBehindWhatHangs() async throws {
        let gate = Gate()
        let builtIn = Self.operation { (_, host) throws(BuiltInFault) in
            try await host.read { (_) throws(BuiltInFault) in gate.wait() }
            return .done()
        }
        let host = try RecordedHost.machine()
        await #expect(throws: BuiltInFault.timedOut("it did not end within 0.1 s")) { try await execute(builtIn, on: host, seconds: 0.1) }
        gate.open()
    }

    @Test func whatHangsHoldsUpNobodyOnceItsExecutionHasEnded() async throws {
        let (gate, started) = (Gate(), Gate())
        let hanging = Self.operation { (_, host) throws(BuiltInFault) in
            try await host.read { (_) throws(BuiltInFault) in
                started.open()
                gate.wait()
            }
            return .done()
        }
        let quick = Self.operation { (_, host) throws(BuiltInFault) in
            try await host.read { (_) throws(BuiltInFault) in }
            return .done()
        }
        defer { gate.open() }
        let readers = ReaderThreads(threadsMax: 1)
        let host = Host(
            files: try HostFiles(), tools: HostTools(runner: try ProcessRunner()), http: try HTTPClient(), readers: readers)
        let late = Task { try await execute(hanging, on: host, seconds: 0.2) }
        #expect(try await eventually { started.isOpen })
        // It gets the one thread's place when that has been given up.
        _ = try await execute(quick, on: host, seconds: 30)
        await #expect(throws: BuiltInFault.timedOut("it did not end within 0.2 s")) { try await late.value }
    }

    @Test func aNetworkThatIsDownHoldsUpNoReading() async throws {
        let (gate, started) = (Gate(), Gate())
        let calling = Self.operation { (_, host) throws(BuiltInFault) in
            try await host.call { () throws(BuiltInFault) in
                started.open()
                gate.wait()
            }
            return .done()
        }
        let host = Host(
            files: try HostFiles(), tools: HostTools(runner: try ProcessRunner()), http: try HTTPClient(),
            readers: ReaderThreads(threadsMax: 1), callers: ReaderThreads(threadsMax: 1))
        let call = Task { try await execute(calling, on: host, seconds: 60) }
        #expect(try await eventually { started.isOpen })
        let reading = Self.operation { (_, host) throws(BuiltInFault) in
            try await host.read { (_) throws(BuiltInFault) in }
            return .done()
        }
        _ = try await execute(reading, on: host, seconds: 10)
        gate.open()
        _ = try await call.value
    }

    @Test func endsWhenItsCallerIsCancelled() async throws {
        let host = try RecordedHost.machine()
        let started = Gate()
        let builtIn = Self.operation { (_, host) throws(BuiltInFault) in
            started.open()
            try await host.sleep(seconds: 60)
            return .done()
        }
        let task = Task { try await execute(builtIn, on: host, seconds: 60) }
        #expect(try await eventually { started.isOpen })
        task.cancel()
        await #expect(throws: BuiltInFault.cancelled) { try await task.value }
    }
}

/// Something that blocks a thread until it is opened.
private final class Gate: Sendable {
    private let state = Mutex(false)

    var isOpen: Bool { state.withLock { $0 } }

    func open() { state.withLock { $0 = true } }

    func wait() {
        while !isOpen { sched_yield() }
    }
}
