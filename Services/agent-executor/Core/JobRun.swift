import Model

/// One run of one job: decides which step comes next and when the run has ended.
///
/// The owner asks `next`, makes durable what has to be, performs, and tells how it `ended`. Restored from what was journaled it
/// walks the same way again; a step that was running has used an attempt.
public struct JobRun: Sendable {
    public enum Decision: Sendable, Equatable {
        case start(StepStart)
        /// Ask again after so many seconds (a retry's backoff).
        case wait(seconds: Double)
        /// The step changes the node: ask again when it is this run's turn to, or when so many seconds have passed.
        case needsTurn(vertex: Int, withinSeconds: Double)
        /// A dry run does not run it: say what it would do.
        case show(StepStart)
        case finished(JobEnd)
    }

    public struct StepStart: Sendable, Equatable {
        public let vertex: Int
        public let operation: String
        public let spec: OperationSpec
        public let attempt: Int
        public let timeoutSeconds: Double

        /// Whether its start must be on disk before it happens.
        public var mustBeJournaled: Bool { spec.effectiveEffect != .read }
    }

    public let job: Job
    public let clock: JobClock
    public private(set) var steps: [StepRecord] = []
    public private(set) var results = ResultBook()
    public private(set) var end: JobEnd?
    private var stop: JobEnd.Reason?
    /// The step that waits for its turn, and for whom.
    private(set) var waiting: (vertex: Int, message: String)?
    private var indexes: [Int: Int] = [:]
    private var walk: PathWalk

    public init(job: Job, clock: JobClock) {
        self.job = job
        self.clock = clock
        walk = PathWalk(job.plan.vertices)
        if let fault = Self.fault(in: job.plan) { end = JobEnd(succeeded: false, reason: .planInvalid, message: fault) }
    }

    /// A run taken up again after the agent was gone.
    public init(restoring progress: JobProgress, begun: [BegunStep], job: Job, clock: JobClock, at now: Moment) {
        self.init(job: job, clock: clock)
        if end != nil { return }
        results = ResultBook(values: progress.results, wholePaths: progress.wholePaths)
        steps = progress.steps
        indexes = Dictionary(steps.enumerated().map { ($0.element.vertex, $0.offset) }) { first, _ in first }
        end = progress.end
        if end != nil {
            replay()
            return
        }
        for step in begun { note(step, at: now) }
        for index in steps.indices where steps[index].phase == .running { interrupt(index, at: now) }
    }

    public var progress: JobProgress {
        JobProgress(steps: steps, results: results.values, wholePaths: results.wholePaths, end: end)
    }

    public var checkpoint: Checkpoint { walk.checkpoint }
    public var failedPaths: [[Int]] { walk.failedPaths }
    public var failedPathCount: Int { walk.failedPathCount }

    /// Ends the run at the next decision: cancelled, superseded by a higher attempt, or out of time.
    public mutating func stop(_ reason: JobEnd.Reason) { stop = stop ?? reason }

    /// Says of the step that needs its turn whom it waits for.
    public mutating func waits(_ vertex: Int, for holder: String) {
        waiting = (vertex, "waits for its turn to change the node: \(holder)")
    }

    /// What comes next. A step that it starts counts as running from here on.
    ///
    /// - Parameter hasTurn: whether this run alone may change the node now.
    public mutating func next(at now: Moment, hasTurn: Bool = true) -> Decision {
        if let end { return .finished(end) }
        if let stop { return finish(JobEnd(succeeded: false, reason: stop, message: message(for: stop))) }
        while true {
            switch walk.next() {
            case .succeeded(let path): return finish(success(path))
            case .exhausted: return finish(failure())
            case .run(let vertex):
                if let index = indexes[vertex], steps[index].phase != .running, steps[index].notBeforeSeconds == nil {
                    record(index)
                    continue
                }
                guard let decision = begin(vertex, at: now, hasTurn: hasTurn) else { continue }
                return decision
            }
        }
    }

    /// What the step would do that a dry run does not run.
    public mutating func shown(_ vertex: Int, _ message: String) {
        guard let index = indexes[vertex], steps[index].attempt == 0 else { preconditionFailure("only a step that has not begun is shown") }
        steps[index].phase = .skipped
        steps[index].message = Text.prefix(message, bytesMax: StepFault.messageBytesMax)
    }

    /// How the step that runs has ended.
    ///
    /// - Parameter note: something worth saying of a step that did its work.
    public mutating func ended(_ vertex: Int, _ stepEnd: StepEnd, note: String? = nil, at now: Moment) {
        guard let index = indexes[vertex], steps[index].phase == .running else { preconditionFailure("only a running step ends") }
        let refused = results.merge(stepEnd.results)
        steps[index].completionTime = now.wall
        steps[index].outcome = stepEnd.outcome
        steps[index].reason = stepEnd.fault?.reason.rawValue
        steps[index].message = Self.message([stepEnd.fault?.message ?? note, Self.remark(refused)])
        steps[index].headline = Self.headline(stepEnd)
        let spec = job.plan.operations[steps[index].operation]
        switch stepEnd {
        case .found: steps[index].phase = .succeeded
        case .ruledOut: steps[index].phase = .failed
        case .failed:
            steps[index].phase = .failed
            if steps[index].attempt < spec?.attemptsMax ?? 1, stop == nil {
                steps[index].notBeforeSeconds = clock.elapsedSeconds(at: now) + Double(spec?.backoffSeconds ?? 0)
            }
        }
    }

    private static func message(_ parts: [String?]) -> String? {
        let parts = parts.compactMap { $0 }
        return parts.isEmpty ? nil : Text.prefix(parts.joined(separator: "; "), bytesMax: StepFault.messageBytesMax)
    }

    /// What is said of results that the book did not take.
    private static func remark(_ refused: [String]) -> String? {
        guard !refused.isEmpty else { return nil }
        let named = refused.prefix(3).joined(separator: ", ") + (refused.count > 3 ? ", …" : "")
        let limits = "at most \(ResultBook.keysMax) names of up to \(ResultBook.keyBytesMax) bytes are kept"
        return "\(refused.count) results left out (\(limits)): \(named)"
    }

    private mutating func begin(_ vertex: Int, at now: Moment, hasTurn: Bool) -> Decision? {
        guard let name = job.plan.vertices[vertex].operation, let spec = job.plan.operations[name] else {
            return finish(JobEnd(succeeded: false, reason: .planInvalid, message: "vertex \(vertex) has no operation"))
        }
        let index = indexes[vertex] ?? append(StepRecord(vertex: vertex, operation: name, phase: .running, attempt: 0))
        if job.dryRun, spec.effectiveEffect != .read {
            return .show(StepStart(vertex: vertex, operation: name, spec: spec, attempt: 0, timeoutSeconds: 0))
        }
        if let decision = obstacle(to: index, at: now) { return decision }
        if spec.effectiveEffect != .read, !hasTurn {
            return .needsTurn(vertex: vertex, withinSeconds: clock.secondsToStart(at: now))
        }
        waiting = nil
        steps[index].phase = .running
        steps[index].attempt += 1
        steps[index].notBeforeSeconds = nil
        steps[index].outcome = nil
        steps[index].completionTime = nil
        steps[index].startTime = now.wall
        let timeout = min(Double(spec.processor.effectiveTimeoutSeconds), clock.secondsLeft(at: now))
        return .start(
            StepStart(vertex: vertex, operation: name, spec: spec, attempt: steps[index].attempt, timeoutSeconds: timeout))
    }

    /// What keeps a step from being started now.
    private mutating func obstacle(to index: Int, at now: Moment) -> Decision? {
        let reason: JobEnd.Reason? =
            clock.secondsLeft(at: now) <= 0 ? .deadlineExceeded : clock.mayStart(at: now) ? nil : .startDeadlineExceeded
        if let reason {
            if steps[index].attempt == 0, waiting == nil { dropLast(index) }
            return finish(JobEnd(succeeded: false, reason: reason, message: message(for: reason)))
        }
        guard let notBefore = steps[index].notBeforeSeconds else { return nil }
        let wait = notBefore - clock.elapsedSeconds(at: now)
        return wait > 0 ? .wait(seconds: min(wait, clock.secondsLeft(at: now))) : nil
    }

    private mutating func append(_ step: StepRecord) -> Int {
        steps.append(step)
        indexes[step.vertex] = steps.count - 1
        return steps.count - 1
    }

    private mutating func dropLast(_ index: Int) {
        indexes[steps[index].vertex] = nil
        steps.remove(at: index)
    }

    private mutating func record(_ index: Int) {
        walk.record(steps[index].vertex, steps[index].phase == .failed ? .failed : .passed)
    }

    private mutating func finish(_ end: JobEnd) -> Decision {
        self.end = end
        // What never had its turn has not begun.
        if let waiting, let index = indexes[waiting.vertex], steps[index].attempt == 0 { dropLast(index) }
        waiting = nil
        // A retry that will not come any more must not look as if it would.
        for index in steps.indices { steps[index].notBeforeSeconds = nil }
        return .finished(end)
    }

    /// Brings the walk to where it ended, for its paths.
    private mutating func replay() {
        while case .run(let vertex) = walk.next(), let index = indexes[vertex], steps[index].phase != .running { record(index) }
    }

    /// An execution that the journal has not heard of, but that left its trace, has used an attempt.
    private mutating func note(_ begun: BegunStep, at now: Moment) {
        guard job.plan.vertices.indices.contains(begun.vertex), let name = job.plan.vertices[begun.vertex].operation else { return }
        let index = indexes[begun.vertex] ?? append(StepRecord(vertex: begun.vertex, operation: name, phase: .running, attempt: 0))
        guard begun.attempt > steps[index].attempt else { return }
        steps[index].attempt = begun.attempt
        steps[index].phase = .running
    }

    private mutating func interrupt(_ index: Int, at now: Moment) {
        let spec = job.plan.operations[steps[index].operation]
        steps[index].phase = .failed
        steps[index].outcome = .error
        steps[index].completionTime = now.wall
        steps[index].reason = StepFault.Reason.interrupted.rawValue
        steps[index].message = "the agent ended while attempt \(steps[index].attempt) ran; it is not run again"
        if steps[index].attempt < spec?.attemptsMax ?? 1 {
            steps[index].message = "the agent ended while attempt \(steps[index].attempt) ran"
            steps[index].notBeforeSeconds = 0
        }
    }

    private static func fault(in plan: Plan) -> String? {
        guard !plan.vertices.isEmpty else { return "the plan has no vertices" }
        for (index, vertex) in plan.vertices.enumerated().dropFirst() {
            guard let name = vertex.operation, !name.isEmpty else { return "vertex \(index) has no operation" }
            guard plan.operations[name] != nil else { return "vertex \(index): the plan has no operation \"\(name)\"" }
        }
        for (index, vertex) in plan.vertices.enumerated() {
            guard let outside = vertex.to?.first(where: { !plan.vertices.indices.contains($0) }) else { continue }
            return "vertex \(index): there is no vertex \(outside)"
        }
        return nil
    }
}
