// A storm of 100,000 alerts against 1,000 triggers, and a burst of 50,000 Kubernetes Events against 1,000 more, through the limits, each
// alert's decision durable before its webhook is answered. Runs the release binaries that lie beside this program.
let storm = try await StormBench()
try await storm.run("50 of them may fire", alerts: "Storm")
try await storm.run("no trigger matches", alerts: "Calm")
try await storm.runEvents()
try await storm.cluster.stop()
