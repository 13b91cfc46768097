import JSONCoding
import Model

@testable import SchedulerCore

/// One scheduler, one node with its agent, and a network between them that loses, delays and repeats; one seed replays all of it.
///
/// The scheduler keeps its machines in memory and what `durability` asked for on a disk; a crash throws the memory away. The agent keeps a
/// journal as protocol.md says and may lose its data directory.
struct LifecycleSimulation {
    struct Faults {
        var lossChance = 0.2
        var repeatChance = 0.15
        var delaySecondsMax = 3.0
        var schedulerCrashChance = 0.01
        var agentCrashChance = 0.01
        var journalLossChance = 0.002
        var partitionChance = 0.005
        var cancelChance = 0.004
        var refusalChance = 0.1
        var stuckChance = 0.1
    }

    enum Message {
        case job(uid: UID, attempt: Int, epoch: Int)
        case jobAnswer(uid: UID, attempt: Int, DiagnosisMachine.SendResult)
        case cancel(uid: UID, attempt: Int)
        case cancelAnswer(uid: UID, attempt: Int, DiagnosisMachine.CancelResult)
        case report(uid: UID, DiagnosisMachine.Report, epoch: Int)
        case reportAnswer(uid: UID, attempt: Int, seq: Int64)
        case heartbeat(epoch: Int)
    }

    struct Run {
        var attempt: Int
        var stepsLeft: Int
        var seq: Int64 = 0
        var outcome: DiagnosisMachine.Report.Outcome = .running
        var isCancelled = false
        var isAcknowledged = false
    }

    static let node = NodeName("web-07")
    static let start = Timestamp(seconds: 1_000_000)

    var random: SeededGenerator
    var faults: Faults
    var limits = LifecycleLimits()
    let everyStepReads: Bool
    let diagnoses: [UID]

    var now = LifecycleSimulation.start
    var memory: [UID: DiagnosisMachine] = [:]
    var disk: [UID: [UInt8]] = [:]
    var cancelled: Set<UID> = []
    var registered: (journal: JournalID, epoch: Int)?
    var leaseEndsAt = LifecycleSimulation.start
    var isLapsed = false

    var journal = JournalID("journal-0")
    var journalCount = 0
    var agentEpoch = 0
    var runs: [UID: Run] = [:]
    var tombstones: Set<String> = []
    var isPartitioned = false
    var network: [(at: Timestamp, Message)] = []

    // What the properties look at.
    var histories: [UID: [DiagnosisPhase]] = [:]
    var outcomesApplied: [String: Int] = [:]
    var ended: [UID: DiagnosisMachine.Stage] = [:]
    /// Attempts that began to run, by uid, in order.
    var begun: [UID: [Int]] = [:]
    var violations: [String] = []

    init(seed: UInt64, diagnoses count: Int, everyStepReads: Bool, faults: Faults = Faults()) throws {
        random = SeededGenerator(seed: seed)
        self.faults = faults
        self.everyStepReads = everyStepReads
        diagnoses = (0..<count).map { UID("d\($0)") }
        for uid in diagnoses {
            let machine = DiagnosisMachine(uid: uid, createdAt: now, activeDeadlineSeconds: 120)
            memory[uid] = machine
            disk[uid] = try JSON.encode(machine)
            histories[uid] = [.pending]
        }
        limits.unknownSecondsMax = 40
        limits.pendingSecondsMax = 600
    }

    /// Runs until everything has ended, or `secondsMax` have passed.
    mutating func run(secondsMax: Double) throws {
        for uid in diagnoses { try apply(.resolved(.ready(Self.node)), to: uid) }
        let end = Self.start.adding(seconds: secondsMax)
        while now < end, diagnoses.contains(where: { memory[$0]?.isFinished != true }) {
            now = now.adding(seconds: 0.5)
            // Faults stop in the last third, so that what can end by itself has the time to.
            if now.seconds(since: Self.start) > secondsMax * 2 / 3 {
                faults = Faults(
                    lossChance: 0, repeatChance: 0, schedulerCrashChance: 0, agentCrashChance: 0, journalLossChance: 0, partitionChance: 0,
                    cancelChance: 0, refusalChance: 0, stuckChance: 0)
                isPartitioned = false
            }
            try disturb()
            try deliver()
            try stepScheduler()
            stepAgent()
        }
    }

    // MARK: Scheduler

    mutating func apply(_ event: DiagnosisMachine.Event, to uid: UID) throws {
        guard let before = memory[uid] else { return }
        var machine = before
        let decision = machine.apply(event, at: now, limits: limits)
        check(before, machine, event)
        if machine.phase != histories[uid]?.last { histories[uid]?.append(machine.phase) }
        if decision.durability == .now || (decision.durability == .soon && random.chance(0.5)) { disk[uid] = try JSON.encode(machine) }
        memory[uid] = machine
        if machine.isFinished, ended[uid] == nil { ended[uid] = machine.stage }
        perform(decision.actions, of: uid)
        if case .report(let report) = event, let verdict = decision.verdict {
            if verdict == .applied, report.isTerminal { outcomesApplied["\(uid)/\(report.attempt)", default: 0] += 1 }
            send(.reportAnswer(uid: uid, attempt: report.attempt, seq: report.seq))
        }
    }

    mutating func perform(_ actions: [DiagnosisMachine.Action], of uid: UID) {
        for action in actions {
            switch action {
            case .resolve, .enqueue, .split: break
            case .send(let attempt):
                let job = Message.job(uid: uid, attempt: attempt, epoch: registered?.epoch ?? 0)
                let timeout = Message.jobAnswer(uid: uid, attempt: attempt, .ambiguous("timed out"))
                if random.chance(faults.stuckChance) {
                    // It arrives long after the scheduler has given up waiting.
                    network.append((now.adding(seconds: 5), timeout))
                    network.append((now.adding(seconds: Double.random(in: 5...60, using: &random)), job))
                } else {
                    send(job, orElse: timeout)
                }
            case .sendCancel(let attempt):
                send(.cancel(uid: uid, attempt: attempt), orElse: .cancelAnswer(uid: uid, attempt: attempt, .failed("timed out")))
            }
        }
    }

    mutating func stepScheduler() throws {
        if registered != nil, !isLapsed, now >= leaseEndsAt {
            isLapsed = true
            for uid in diagnoses { try apply(.agentLapsed, to: uid) }
        }
        for uid in diagnoses {
            guard let machine = memory[uid] else { continue }
            if let deadline = machine.nextDeadline(after: now, limits: limits), deadline <= now { try apply(.clock, to: uid) }
            if case .resolving = memory[uid]?.stage { try apply(.resolved(.ready(Self.node)), to: uid) }
            if case .queued = memory[uid]?.stage, let registered, !isLapsed {
                let pin = DiagnosisMachine.Pin(node: Self.node, journal: registered.journal, planHash: "h", everyStepReads: everyStepReads)
                try apply(.pin(pin), to: uid)
            }
        }
    }

    mutating func crashScheduler() throws {
        network.removeAll { if case .jobAnswer = $0.1 { true } else if case .cancelAnswer = $0.1 { true } else { false } }
        leaseEndsAt = now.adding(seconds: 15)
        isLapsed = false
        for uid in diagnoses {
            guard let bytes = disk[uid] else { continue }
            var machine = try JSON.decode(DiagnosisMachine.self, from: bytes)
            if let stage = ended[uid], machine.stage != stage, machine.isFinished == false {
                violations.append("\(uid): an end was forgotten by a restart")
            }
            let actions = machine.recover()
            memory[uid] = machine
            perform(actions, of: uid)
            if cancelled.contains(uid) { try apply(.cancelRequested, to: uid) }
        }
    }

    // MARK: Agent

    mutating func register() throws {
        if let registered, registered.journal != journal, !isLapsed, now < leaseEndsAt { return }
        agentEpoch = (registered?.epoch ?? 0) + 1
        registered = (journal, agentEpoch)
        leaseEndsAt = now.adding(seconds: 15)
        isLapsed = false
        for uid in diagnoses { try apply(.agentPresent(journal: journal), to: uid) }
    }

    mutating func stepAgent() {
        send(.heartbeat(epoch: agentEpoch))
        for uid in diagnoses {
            guard var run = runs[uid], !run.isAcknowledged else { continue }
            if run.outcome == .running {
                if run.isCancelled {
                    run.outcome = .failed(Failure(.cancelled, "stopped"))
                } else if random.chance(0.3) {
                    run.stepsLeft -= 1
                    if run.stepsLeft == 0 {
                        run.outcome = random.chance(0.8) ? .succeeded : .failed(Failure(reason: "NothingFound", message: ""))
                    }
                }
            }
            run.seq += 1
            runs[uid] = run
            send(.report(uid: uid, .init(attempt: run.attempt, seq: run.seq, outcome: run.outcome), epoch: agentEpoch))
        }
    }

    mutating func accept(_ uid: UID, _ attempt: Int) -> DiagnosisMachine.SendResult {
        if tombstones.contains("\(uid)/\(attempt)") { return .cancelled }
        if let run = runs[uid], run.attempt >= attempt { return .accepted }
        if random.chance(faults.refusalChance) { return .refused("busy", retryAfterSeconds: 1) }
        runs[uid] = Run(attempt: attempt, stepsLeft: Int.random(in: 1...4, using: &random))
        begun[uid, default: []].append(attempt)
        return .accepted
    }

    mutating func cancel(_ uid: UID, _ attempt: Int) -> DiagnosisMachine.CancelResult {
        guard runs[uid]?.attempt == attempt else {
            tombstones.insert("\(uid)/\(attempt)")
            return .neverRan
        }
        runs[uid]?.isCancelled = true
        return .acknowledged
    }

    // MARK: The world

    mutating func disturb() throws {
        if random.chance(faults.schedulerCrashChance) { try crashScheduler() }
        if random.chance(faults.partitionChance) { isPartitioned.toggle() }
        if isPartitioned, random.chance(0.03) { isPartitioned = false }
        if random.chance(faults.journalLossChance) {
            journalCount += 1
            journal = JournalID("journal-\(journalCount)")
            runs = [:]
            tombstones = []
            agentEpoch = -1
        } else if random.chance(faults.agentCrashChance) {
            agentEpoch = -1  // the same journal: its runs go on
        }
        if agentEpoch <= 0 || registered?.epoch != agentEpoch, !isPartitioned { try register() }
        for uid in diagnoses where random.chance(faults.cancelChance) && memory[uid]?.isFinished == false {
            cancelled.insert(uid)
            try apply(.cancelRequested, to: uid)
        }
    }

    mutating func send(_ message: Message, orElse failure: Message? = nil) {
        if isPartitioned || random.chance(faults.lossChance) {
            if let failure { network.append((now.adding(seconds: 5), failure)) }
            return
        }
        var copies = random.chance(faults.repeatChance) ? 2 : 1
        if case .job = message { copies = 1 }  // one PUT on one connection is delivered once
        for _ in 0..<copies {
            network.append((now.adding(seconds: Double.random(in: 0...faults.delaySecondsMax, using: &random)), message))
        }
    }

    mutating func deliver() throws {
        let due = network.filter { $0.at <= now }
        network.removeAll { $0.at <= now }
        for (_, message) in due.shuffled(using: &random) {
            switch message {
            case .job(let uid, let attempt, let epoch):
                let answer = epoch == agentEpoch ? accept(uid, attempt) : .refused("stale epoch", retryAfterSeconds: 1)
                send(
                    .jobAnswer(uid: uid, attempt: attempt, answer), orElse: .jobAnswer(uid: uid, attempt: attempt, .ambiguous("timed out")))
            case .jobAnswer(let uid, let attempt, let result): try apply(.sent(attempt: attempt, result), to: uid)
            case .cancel(let uid, let attempt):
                let answer = cancel(uid, attempt)
                send(
                    .cancelAnswer(uid: uid, attempt: attempt, answer),
                    orElse: .cancelAnswer(uid: uid, attempt: attempt, .failed("timed out")))
            case .cancelAnswer(let uid, let attempt, let result): try apply(.cancelSent(attempt: attempt, result), to: uid)
            case .report(let uid, let report, let epoch):
                if epoch == registered?.epoch { try apply(.report(report), to: uid) }
            case .reportAnswer(let uid, let attempt, let seq):
                if runs[uid]?.attempt == attempt, runs[uid]?.outcome != .running, runs[uid]?.seq == seq { runs[uid]?.isAcknowledged = true }
            case .heartbeat(let epoch):
                guard epoch == registered?.epoch, let registered else { continue }
                leaseEndsAt = now.adding(seconds: 15)
                if isLapsed {
                    isLapsed = false
                    for uid in diagnoses { try apply(.agentPresent(journal: registered.journal), to: uid) }
                }
            }
        }
    }

    private mutating func check(_ before: DiagnosisMachine, _ after: DiagnosisMachine, _ event: DiagnosisMachine.Event) {
        let legal: [DiagnosisPhase: Set<DiagnosisPhase>] = [
            .pending: [.pending, .running, .succeeded, .failed, .unknown], .running: [.running, .succeeded, .failed, .unknown],
            .unknown: [.unknown, .pending, .running, .succeeded, .failed], .succeeded: [.succeeded], .failed: [.failed],
        ]
        if legal[before.phase]?.contains(after.phase) != true {
            violations.append("\(before.uid): \(before.phase) → \(after.phase) by \(event)")
        }
        if before.phase == .unknown, after.phase == .pending, before.dispatch?.isRunning == true {
            violations.append("\(before.uid): fell back to Pending after it ran")
        }
        if case .finished(let first) = before.stage, case .finished(let second) = after.stage {
            if first.succeeded != second.succeeded || first.failure != second.failure || first.at != second.at {
                violations.append("\(before.uid): its end changed")
            }
        }
        if let old = before.dispatch?.attempt, let new = after.dispatch?.attempt, new != old, !everyStepReads,
            before.dispatch?.exposure != DiagnosisMachine.Exposure.none
        {
            violations.append("\(before.uid): attempt \(new) though \(old) may have changed something")
        }
        if before.isCancelRequested, !after.isCancelRequested { violations.append("\(before.uid): a cancel was taken back") }
    }
}
