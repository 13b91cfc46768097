// What an agent costs while it has nothing to do, and whether 200 jobs at once keep it from its heartbeats. Runs the release binaries that lie
// beside this program.
import BenchmarkSupport
import Foundation
import JSONCoding
import TestSupport

let agent = "web-01"
let idle = try await Cluster(agents: [agent], laterAgents: [], heartbeat: [])
let idleSeconds = 30.0
let start = try ProcessFigures(idle, [agent])
try await Task.sleep(for: .seconds(idleSeconds))
let end = try ProcessFigures(idle, [agent])
let share = (end.cpuSeconds - start.cpuSeconds) / idleSeconds * 100
print("agent: idle, as it is by default: \(String(format: "%.3f", share)) % of a core, \(rounded(end.residentMiB[agent] ?? 0)) MiB")
try await idle.stop()

let jobs = 200
let cluster = try await Cluster(agents: [], laterAgents: [agent], scheduler: ["--queued-diagnoses-max", "10000"])
try await cluster.startAgent(agent, ["--jobs-max", String(jobs)])
for check in ["loadAverage", "pidLimits", "kernelLog"] {
    try await cluster.create(
        "Operation", check.lowercased(), #"{"effect":"Read","processor":{"httpServer":{"path":"/processor/\#(check)"}}}"#)
}
try await cluster.createScript("wait", "sleep 5")
try await cluster.create(
    "OperationSet", "many",
    #"{"adjacencyList":[{"id":0,"to":[1]},{"id":1,"operation":"loadaverage","continueOnFailure":true,"to":[2]},{"id":2,"operation":"pidlimits","continueOnFailure":true,"to":[3]},{"id":3,"operation":"kernellog","continueOnFailure":true,"to":[4]},{"id":4,"operation":"wait"}]}"#
)
try await cluster.createTrigger("many", alert: "Many", set: "many", #""rateLimit":{"perHour":100000}"#)
let before = try ProcessFigures(cluster, [agent])
let posted = ContinuousClock.now
let alerts = (0..<jobs).map { TestAlert("Many", instance: agent, ["number": String($0)]) }
guard try await cluster.post(alerts).status == 200 else { throw Cluster.Failure(description: "the alerts were not taken") }
var missed = 0
var runningMax = 0
while true {
    if try await !cluster.isReady(agent: agent) { missed += 1 }
    let phases = try await cluster.diagnoses().map { $0["status"]?["phase"]?.stringValue ?? "" }
    runningMax = max(runningMax, phases.count { $0 == "Running" })
    let ended = phases.count { $0 == "Succeeded" || $0 == "Failed" }
    if ended == jobs {
        let seconds = milliseconds(since: posted) / 1000
        let cpu = (try ProcessFigures(cluster, [agent]).cpuSeconds - before.cpuSeconds) * 1000 / Double(jobs)
        let failed = phases.count { $0 == "Failed" }
        print(
            "agent: \(jobs) jobs of three checks and a script that sleeps 5 s: \(rounded(seconds)) s, \(runningMax) at once, \(failed) failed, \(rounded(cpu)) ms of CPU each with its script; not ready in \(missed) looks (lease 2 s)"
        )
        break
    }
}
try await cluster.stop()
