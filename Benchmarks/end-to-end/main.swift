// Runs the release binaries that lie beside this program and prints figures; `quick` as the first argument leaves the backlog out.
let bench = try await Bench()
try bench.idle()
try await bench.latency("https", runs: 300)
try await bench.latency("reads", runs: 300)
try await bench.latency("scripts", runs: 300)
try await bench.burst(200)
try await bench.burst(1000)
if CommandLine.arguments.dropFirst().first != "quick" { try await bench.ingest() }
try await bench.cluster.stop()
