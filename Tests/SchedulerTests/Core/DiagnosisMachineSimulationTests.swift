import JSONCoding
import Model
import Testing

@testable import SchedulerCore

@Suite("A diagnosis over a bad network, from a seed")
struct DiagnosisMachineSimulationTests {
    @Test("everything terminates, ends once, and its end never changes", arguments: 0..<120)
    func terminates(seed: UInt64) throws {
        var world = try LifecycleSimulation(seed: seed, diagnoses: 8, everyStepReads: seed % 2 == 0)
        try world.run(secondsMax: 1800)
        #expect(world.violations == [], "seed \(seed)")
        for uid in world.diagnoses {
            #expect(world.memory[uid]?.isFinished == true, "seed \(seed): \(uid) \(String(describing: world.memory[uid]?.stage))")
        }
        for (attempt, count) in world.outcomesApplied { #expect(count == 1, "seed \(seed): \(attempt)") }
        for (uid, attempts) in world.begun {
            // An attempt begins at most once per journal, and attempts only grow.
            #expect(attempts == attempts.sorted(), "seed \(seed): \(uid) began \(attempts)")
        }
    }

    @Test("without faults every diagnosis ends by its agent's word", arguments: 0..<10)
    func calm(seed: UInt64) throws {
        let faults = LifecycleSimulation.Faults(
            lossChance: 0, repeatChance: 0, schedulerCrashChance: 0, agentCrashChance: 0, journalLossChance: 0, partitionChance: 0,
            cancelChance: 0, refusalChance: 0, stuckChance: 0)
        var world = try LifecycleSimulation(seed: seed, diagnoses: 8, everyStepReads: false, faults: faults)
        try world.run(secondsMax: 600)
        for uid in world.diagnoses {
            guard case .finished(let ending)? = world.memory[uid]?.stage else {
                Issue.record("seed \(seed): \(uid) did not end")
                continue
            }
            #expect(ending.author == .agent)
            #expect(world.begun[uid] == [1])
        }
    }

    @Test("a plan that changes things runs at most once per diagnosis, whatever is lost", arguments: 200..<280)
    func mutatesOnce(seed: UInt64) throws {
        var world = try LifecycleSimulation(seed: seed, diagnoses: 6, everyStepReads: false)
        world.faults.journalLossChance = 0.02
        try world.run(secondsMax: 1800)
        #expect(world.violations == [])
        for (uid, attempts) in world.begun where Set(attempts).count < attempts.count {
            Issue.record("seed \(seed): \(uid) began \(attempts)")
        }
    }
}
