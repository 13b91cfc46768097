import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// Each process is killed in turn, at random moments, while alerts keep coming.
@Suite(.serialized) struct ChaosTests {
    static let alertsCount = 500
    static let killsCount = 50

    @Test(.timeLimit(.minutes(10))) func nothingAcceptedIsLostAndNothingRunsTwiceUnseen() async throws {
        let seed = UInt64(ProcessInfo.processInfo.environment["KUBEDIAG_TEST_SEED"] ?? "") ?? UInt64.random(in: 0...9_999)
        var random = SeededGenerator(seed: seed)
        let cluster = try await Cluster(agent: ["--jobs-max", "8"])
        let ran = cluster.path("ran")
        // Appending a short line is atomic: one line for each time that a step ran.
        try await cluster.createScript("mutate", "echo \"$1\" >> \(ran)", argKeys: ["diagnosis.name"], effect: "Mutate")
        try await cluster.createScript("look", "echo looked")
        try await cluster.create("OperationSet", "chaos", #"{"sequence":["look","mutate"]}"#)
        try await cluster.createTrigger("chaos", alert: "Chaos", set: "chaos", #""rateLimit":{"perHour":100000}"#)

        let sender = Task {
            for batch in 0..<Self.alertsCount / 5 {
                let alerts = (0..<5).map { TestAlert("Chaos", instance: "web-01:9100", ["number": String(batch * 5 + $0)]) }
                // As Alertmanager does: again and again until it is 2xx.
                while true {
                    if let status = try? await cluster.post(alerts).status, status == 200 { break }
                    try await Task.sleep(for: .milliseconds(50))  // the sender's pause before it sends again
                }
            }
        }
        let victims = ["scheduler", "web-01", "router", "graph-builder"]
        for kill in 0..<Self.killsCount {
            let victim = victims[kill % victims.count]
            try await Task.sleep(for: .milliseconds(Int.random(in: 10...250, using: &random)))  // the random moment
            try await cluster.kill(victim)
            try await cluster.start(victim)
        }
        try await sender.value

        let done = try await eventually(seconds: 240) {
            let all = try await cluster.diagnoses()
            return all.count == Self.alertsCount && all.allSatisfy { ["Succeeded", "Failed"].contains($0.phase ?? "") }
        }
        let all = try await cluster.diagnoses()
        let phases = Dictionary(grouping: all) { "\($0.phase ?? "none") \($0.reason ?? "")" }.mapValues(\.count)
        #expect(done, "seed \(seed): \(all.count) diagnoses, \(phases)")
        #expect(all.count == Self.alertsCount, "seed \(seed)")

        let runs = ((try? String(contentsOfFile: ran, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
        let counts = Dictionary(grouping: runs, by: { $0 }).mapValues(\.count)
        for diagnosis in all {
            // A step that an agent's death interrupted has used its attempt: it is reported as such and never run again by itself.
            let count = counts[diagnosis.name] ?? 0
            #expect(count <= 1, "seed \(seed): \(diagnosis.name) ran \(count) times")
            if diagnosis.phase == "Succeeded" { #expect(count == 1, "seed \(seed): \(diagnosis.name) succeeded without having run") }
        }
        #expect(
            (phases.filter { $0.key.hasPrefix("Succeeded") }.values.reduce(0, +)) > Self.alertsCount * 8 / 10, "seed \(seed): \(phases)")
        try await cluster.stop()
    }
}

struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
