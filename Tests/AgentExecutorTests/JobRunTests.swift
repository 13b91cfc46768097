import AgentExecutorCore
import AgentOperations
import Model
import Testing

@Suite struct JobRunTests {
    static func moment(_ seconds: Double, boot: String = "boot") -> Moment {
        Moment(
            wall: Timestamp(microseconds: 1_700_000_000_000_000 + Int64(seconds * 1e6)), uptimeMicroseconds: Int64(seconds * 1e6),
            bootID: boot)
    }

    static func operation(_ effect: Effect? = nil, attempts: Int? = nil, backoff: Int? = nil, timeout: Int? = nil) -> OperationSpec {
        OperationSpec(
            processor: Processor(scriptRunner: ScriptProcessor(script: "true"), timeoutSeconds: timeout), effect: effect,
            retry: attempts.map { Retry(maxAttempts: $0, backoffSeconds: backoff) })
    }

    static func job(
        _ edges: [[Int]], operations: [Int: OperationSpec] = [:], tolerant: Set<Int> = [], dryRun: Bool = false, remaining: Double = 100,
        notAfter: Double = 100
    ) -> Job {
        var specs: [String: OperationSpec] = [:]
        for index in edges.indices.dropFirst() { specs["op\(index)"] = operations[index] ?? operation() }
        let plan = Plan(
            operationSet: "set", hash: "h", vertices: PathWalkTests.graph(edges, tolerant: tolerant), operations: specs)
        return Job(
            uid: UID("u"), namespace: "kubediag", name: "d", node: NodeName("web-07"), dispatchAttempt: 1, epoch: 1, plan: plan,
            parameters: ["p": "v"], remainingSeconds: remaining, notAfterSeconds: notAfter, dryRun: dryRun)
    }

    static func run(_ job: Job) -> JobRun {
        JobRun(job: job, clock: clock(job))
    }

    static func clock(_ job: Job) -> JobClock {
        JobClock(acceptedAt: moment(0), remainingSeconds: job.remainingSeconds, notAfterSeconds: job.notAfterSeconds)
    }

    private func start(_ run: inout JobRun, at seconds: Double = 1) throws -> JobRun.StepStart {
        guard case .start(let step) = run.next(at: Self.moment(seconds)) else {
            Issue.record("no step: \(run.next(at: Self.moment(seconds)))")
            throw CancellationError()
        }
        return step
    }

    @Test func aChainSucceedsWithTheLastFindAsItsSummary() throws {
        var run = Self.run(Self.job([[1], [2], []]))
        #expect(try start(&run).vertex == 1)
        run.ended(1, .found([StepResult(key: "operation.a.output", text: "\n  first line\nsecond\n")]), at: Self.moment(2))
        #expect(try start(&run).vertex == 2)
        run.ended(2, .found([StepResult(key: "operation.b.output", text: "")]), at: Self.moment(3))
        guard case .finished(let end) = run.next(at: Self.moment(4)) else { throw CancellationError() }
        #expect(end == JobEnd(succeeded: true, summary: "first line", path: [1, 2]))
        let report = run.report(journalID: JournalID("j"), epoch: 3, seq: 9)
        #expect(report.phase == .succeeded)
        #expect(report.steps.map(\.phase) == [.succeeded, .succeeded])
        #expect(report.succeededPath == [PathEntry(id: 1, operation: "op1"), PathEntry(id: 2, operation: "op2")])
        #expect(report.operationResults?["operation.a.output"] == .text("\n  first line\nsecond\n"))
    }

    @Test func whatOnlyAddsIsNoSummaryBesideAFault() throws {
        for (tolerant, summary) in [([2], "the fault"), ([1, 2], "besides"), ([1], "besides")] {
            var run = Self.run(Self.job([[1], [2], [3], []], tolerant: Set(tolerant)))
            for (vertex, text) in [(1, "the fault"), (2, "besides"), (3, "[]")] {
                #expect(try start(&run).vertex == vertex)
                run.ended(vertex, .found([StepResult(key: "operation.\(vertex)", text: text)]), at: Self.moment(2))
            }
            guard case .finished(let end) = run.next(at: Self.moment(3)) else { throw CancellationError() }
            #expect(end.summary == summary && end.path == [1, 2, 3])
        }
    }

    @Test func resultsPastTheLimitAreCountedBesideWhatElseIsSaid() throws {
        let results = (0..<2500).map { StepResult(key: "k\($0)", text: "") }
        let said = "500 results left out (at most 2000 names of up to 253 bytes are kept): k2000, k2001, k2002, …"
        for note in [nil, "3 secrets were redacted"] {
            var run = Self.run(Self.job([[1], []]))
            _ = try start(&run)
            run.ended(1, .found(results), note: note, at: Self.moment(2))
            #expect(run.steps[0].message == (note.map { $0 + "; " } ?? "") + said)
        }
        var run = Self.run(Self.job([[1], []]))
        _ = try start(&run)
        run.ended(1, .ruledOut(Array(results.prefix(2001)), StepFault(.ruledOut, "nothing")), at: Self.moment(2))
        #expect(run.steps[0].message == "nothing; 1 results left out (at most 2000 names of up to 253 bytes are kept): k2000")
    }

    @Test func whatIsMerelyWorthKnowingIsNoSummary() throws {
        var run = Self.run(Self.job([[1], [2], []]))
        let gate = StepResult(key: "approval.finding", text: Finding(.info, "kill is approved.").json.description)
        for (vertex, results) in [
            (1, [StepResult(key: "zombies.summary", text: "14 zombies")]),
            (2, [gate, StepResult(key: "approval.summary", text: "approved")]),
        ] {
            _ = try start(&run)
            run.ended(vertex, .found(results), at: Self.moment(2))
        }
        guard case .finished(let end) = run.next(at: Self.moment(3)) else { throw CancellationError() }
        #expect(end == JobEnd(succeeded: true, summary: "14 zombies", path: [1, 2]))
    }

    /// Of what an operation says itself to change something, a failure shows though another path succeeds.
    @Test func aRepairThatFailedIsNotHiddenByAnotherPath() throws {
        for (effect, hides) in [(Effect.mutate, false), (.destroy, false), (.read, true), (nil, true)] {
            var run = Self.run(Self.job([[1, 2], [], []], operations: [1: Self.operation(effect)]))
            while case .needsTurn = run.next(at: Self.moment(1)) { break }
            guard case .start = run.next(at: Self.moment(1), hasTurn: true) else { throw CancellationError() }
            run.ended(1, .failed(.exitStatus, "process 7 is another one by now"), at: Self.moment(2))
            guard case .start = run.next(at: Self.moment(2), hasTurn: true) else { throw CancellationError() }
            run.ended(2, .found([StepResult(key: "operation.b.output", text: "14 zombies")]), at: Self.moment(3))
            guard case .finished(let end) = run.next(at: Self.moment(4)) else { throw CancellationError() }
            let repair = "op1 failed: process 7 is another one by now"
            #expect(
                end
                    == JobEnd(
                        succeeded: true, message: hides ? nil : repair, summary: hides ? "14 zombies" : repair + "; 14 zombies", path: [2]),
                "\(effect?.rawValue ?? "nothing said")")
        }
    }

    @Test func ruledOutAloneIsNothingFoundAndAnErrorIsAFault() throws {
        for (error, reason) in [(false, JobEnd.Reason.nothingFound), (true, .stepFailed)] {
            var run = Self.run(Self.job([[1, 2], [], []]))
            _ = try start(&run)
            run.ended(1, .ruledOut([], StepFault(.ruledOut, "exit status 10")), at: Self.moment(2))
            _ = try start(&run)
            run.ended(
                2, error ? .failed(.exitStatus, "exit status 3") : .ruledOut([], StepFault(.ruledOut, "exit status 10")), at: Self.moment(2)
            )
            guard case .finished(let end) = run.next(at: Self.moment(2)) else { throw CancellationError() }
            #expect(!end.succeeded && end.reason == reason)
            #expect(run.failedPaths == [[1], [2]])
        }
    }

    @Test func aRetryWaitsItsBackoffAndCounts() throws {
        var run = Self.run(Self.job([[1], []], operations: [1: Self.operation(attempts: 2, backoff: 5)]))
        #expect(try start(&run, at: 1).attempt == 1)
        run.ended(1, .failed(.exitStatus, "exit status 1"), at: Self.moment(2))
        #expect(run.next(at: Self.moment(3)) == .wait(seconds: 4))
        #expect(try start(&run, at: 7.5).attempt == 2)
        run.ended(1, .failed(.exitStatus, "exit status 1"), at: Self.moment(8))
        guard case .finished(let end) = run.next(at: Self.moment(8)) else { throw CancellationError() }
        #expect(end.reason == .stepFailed)
        #expect(run.failedPathCount == 1)
    }

    @Test func whatWasRuledOutIsNotTriedAgain() throws {
        var run = Self.run(Self.job([[1], []], operations: [1: Self.operation(attempts: 3)]))
        _ = try start(&run)
        run.ended(1, .ruledOut([], StepFault(.ruledOut, "")), at: Self.moment(2))
        guard case .finished(let end) = run.next(at: Self.moment(2)) else { throw CancellationError() }
        #expect(end.reason == .nothingFound)
    }

    @Test func noStepStartsAfterItsTime() throws {
        var run = Self.run(Self.job([[1], [2], []], remaining: 50, notAfter: 20))
        #expect(try start(&run, at: 19).timeoutSeconds == 30)
        run.ended(1, .found([]), at: Self.moment(21))
        guard case .finished(let end) = run.next(at: Self.moment(21)) else { throw CancellationError() }
        #expect(end.reason == .startDeadlineExceeded)
        #expect(run.steps.map(\.vertex) == [1])

        var late = Self.run(Self.job([[1], []], remaining: 50, notAfter: 100))
        #expect(try start(&late, at: 40).timeoutSeconds == 10)
        var over = Self.run(Self.job([[1], []], remaining: 50, notAfter: 100))
        guard case .finished(let timedOut) = over.next(at: Self.moment(51)) else { throw CancellationError() }
        #expect(timedOut.reason == .deadlineExceeded)
    }

    @Test func deadlinesHoldOverARebootAndAClockThatWentBack() {
        let clock = JobClock(acceptedAt: Self.moment(100), remainingSeconds: 60, notAfterSeconds: 30)
        #expect(clock.mayStart(at: Self.moment(120)))
        #expect(clock.mayStart(at: Self.moment(120, boot: "other")))
        #expect(!clock.mayStart(at: Self.moment(140, boot: "other")))
        #expect(!clock.mayStart(at: Self.moment(50, boot: "other")))
    }

    @Test func aDryRunShowsWhatMutatesAndRunsWhatReads() throws {
        var run = Self.run(
            Self.job([[1], [2], [3], []], operations: [1: Self.operation(.read), 3: Self.operation(.destroy)], dryRun: true))
        #expect(try start(&run).vertex == 1)
        run.ended(1, .found([]), at: Self.moment(2))
        for vertex in [2, 3] {
            guard case .show(let step) = run.next(at: Self.moment(2), hasTurn: false) else { throw CancellationError() }
            #expect(step.vertex == vertex)
            run.shown(vertex, "it would be\n" + String(repeating: "x", count: 2000))
        }
        guard case .finished(let end) = run.next(at: Self.moment(2)) else { throw CancellationError() }
        #expect(end.succeeded && end.reason == .dryRun)
        #expect(run.steps.map(\.phase) == [.succeeded, .skipped, .skipped])
        #expect(run.steps[1].message?.utf8.count == StepFault.messageBytesMax)
    }

    @Test func whatChangesTheNodeNeedsItsTurnAndWhatReadsDoesNot() throws {
        var run = Self.run(Self.job([[1], [2], []], operations: [1: Self.operation(.read), 2: Self.operation(attempts: 2, backoff: 5)]))
        guard case .start = run.next(at: Self.moment(1), hasTurn: false) else { throw CancellationError() }
        run.ended(1, .found([]), at: Self.moment(2))
        #expect(run.next(at: Self.moment(10), hasTurn: false) == .needsTurn(vertex: 2, withinSeconds: 90))
        run.waits(2, for: "kubediag/other")
        let waiting = try #require(run.stepStatuses.last)
        #expect(waiting.phase == .running && waiting.attempt == 0 && waiting.startTime == nil && waiting.reason == "NodeBusy")
        #expect(waiting.message == "waits for its turn to change the node: kubediag/other")
        // The time of a step is its own: it begins with its turn.
        guard case .start(let step) = run.next(at: Self.moment(60), hasTurn: true) else { throw CancellationError() }
        #expect(step.timeoutSeconds == 30 && step.attempt == 1)
        #expect(run.stepStatuses.last?.reason == nil)
        // A pause before a retry needs no turn.
        run.ended(2, .failed(.exitStatus, "exit status 1"), at: Self.moment(61))
        #expect(run.next(at: Self.moment(62), hasTurn: false) == .wait(seconds: 4))
        #expect(run.next(at: Self.moment(67), hasTurn: false) == .needsTurn(vertex: 2, withinSeconds: 33))
    }

    @Test func aStepThatNeverHadItsTurnHasNotBegun() throws {
        for isStopped in [true, false] {
            var run = Self.run(Self.job([[1], []]))
            _ = run.next(at: Self.moment(1), hasTurn: false)
            run.waits(1, for: "kubediag/other")
            if isStopped { run.stop(.cancelled) }
            guard case .finished(let end) = run.next(at: Self.moment(isStopped ? 2 : 100), hasTurn: false) else {
                throw CancellationError()
            }
            #expect(end.reason == (isStopped ? .cancelled : .deadlineExceeded))
            #expect(run.stepStatuses.isEmpty)
        }
    }

    @Test func anInterruptedStepHasUsedAnAttempt() throws {
        for attempts in [1, 2] {
            let job = Self.job([[1], [2], []], operations: [2: Self.operation(attempts: attempts)])
            var run = Self.run(job)
            _ = try start(&run)
            run.ended(1, .found([StepResult(key: "k", text: "v")]), at: Self.moment(2))
            _ = try start(&run)
            var restored = JobRun(restoring: run.progress, begun: [], job: job, clock: Self.clock(job), at: Self.moment(9))
            #expect(restored.results.values["k"] == .text("v"))
            if attempts == 1 {
                guard case .finished(let end) = restored.next(at: Self.moment(9)) else { throw CancellationError() }
                #expect(end.reason == .stepFailed)
                #expect(restored.steps[1].reason == "Interrupted")
                #expect(restored.failedPaths == [[1, 2]])
            } else {
                #expect(try start(&restored, at: 9).attempt == 2)
            }
        }
    }

    @Test func anExecutionThatOnlyLeftItsTraceCountsToo() throws {
        let job = Self.job([[1], []], operations: [1: Self.operation(.read)])
        var restored = JobRun(
            restoring: JobProgress(), begun: [BegunStep(vertex: 1, attempt: 1)], job: job, clock: Self.clock(job), at: Self.moment(3))
        guard case .finished(let end) = restored.next(at: Self.moment(3)) else { throw CancellationError() }
        #expect(end.reason == .stepFailed)
        #expect(restored.steps.map(\.attempt) == [1])
    }

    @Test func aFinishedRunIsRestoredWithItsPaths() throws {
        let job = Self.job([[1, 2], [], []])
        var run = Self.run(job)
        _ = try start(&run)
        run.ended(1, .failed(.exitStatus, "x"), at: Self.moment(2))
        _ = try start(&run)
        run.ended(2, .found([]), at: Self.moment(2))
        _ = run.next(at: Self.moment(2))
        let restored = JobRun(restoring: run.progress, begun: [], job: job, clock: Self.clock(job), at: Self.moment(9))
        let seq: Int64 = 1
        #expect(
            restored.report(journalID: JournalID("j"), epoch: 1, seq: seq) == run.report(journalID: JournalID("j"), epoch: 1, seq: seq))
    }

    @Test func stoppingEndsTheRunAtItsNextDecision() throws {
        var run = Self.run(Self.job([[1], [2], []], operations: [1: Self.operation(attempts: 5)]))
        _ = try start(&run)
        run.stop(.cancelled)
        run.stop(.superseded)
        run.ended(1, .failed(.cancelled, "cancelled"), at: Self.moment(2))
        guard case .finished(let end) = run.next(at: Self.moment(2)) else { throw CancellationError() }
        #expect(end.reason == .cancelled)
    }

    @Test func aPlanThatIsNoneIsRefused() {
        var job = Self.job([[1], []])
        job.plan.operations = [:]
        var run = Self.run(job)
        guard case .finished(let end) = run.next(at: Self.moment(1)) else { return #expect(Bool(false)) }
        #expect(end.reason == .planInvalid)
    }

    @Test func reportsAreCutLevelByLevel() throws {
        let job = Self.job([[1], []])
        var run = Self.run(job)
        _ = try start(&run)
        run.ended(1, .found((0..<100).map { StepResult(key: "k\($0)", text: String(repeating: "x", count: 2000)) }), at: Self.moment(2))
        var sizes: [Int] = []
        for cut in ReportCut.allCases {
            let report = run.report(journalID: JournalID("j"), epoch: 1, seq: 1, cut: cut)
            sizes.append((report.operationResults ?? [:]).reduce(0) { $0 + $1.key.utf8.count + $1.value.preview.utf8.count })
        }
        #expect(sizes[0] > 200_000 && sizes[1] < 30_000 && sizes[2] < 500 && sizes[3] == 0)
    }
}
