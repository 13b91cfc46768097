import AgentOperations
import NodeFacts

/// Processes that compute all the time.
enum RunawayProcesses {
    private static let cpuPercent = Parameter.number(
        "cpuPercent", 1...100_000, default: 90, "CPU time of a process, of one CPU, from which on it is reported: 200 are two CPUs.")
    private static let sampleSeconds = Parameter.seconds("sampleSeconds", 0.1...60, default: 3, "How long the processes are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "runawayProcesses", "Watches which processes use the CPUs.",
            succeedsWhen: "a process used cpuPercent of a CPU while it was watched",
            parameters: [cpuPercent.definition, sampleSeconds.definition],
            timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let begin = host.clock.uptimeSeconds()
        let before = try await host.read { (files) throws(BuiltInFault) in
            // A recorded machine may have a process twice, as `7` and `07`.
            Dictionary(try times(files).map { ($0.pid, $0.cpuSeconds) }) { first, _ in first }
        }
        try await host.sleep(seconds: context[sampleSeconds])
        let threshold = context[cpuPercent]
        let elapsed = max(0.01, host.clock.uptimeSeconds() - begin)
        return try await host.read { (files) throws(BuiltInFault) in
            var uses: [Use] = []
            // Whoever used nothing is not looked at any further: of some hundred processes that is nearly all.
            for (pid, cpuSeconds) in try times(files) where cpuSeconds != before[pid] {
                guard let process = try ProcessScan.stat("/proc/\(pid)/stat", files) else { continue }
                let started = Double(process.startTicks) / ProcessScan.ticksPerSecond
                // One that began meanwhile has all its time from then on, under a number that another may have had; one that was only
                // overlooked says nothing.
                let earlier = started > begin ? 0 : before[pid] ?? (started >= begin - 1 ? 0 : cpuSeconds)
                guard cpuSeconds > earlier else { continue }
                uses.append(Use(process: process, percent: (cpuSeconds - earlier) / elapsed * 100))
            }
            return try judge(uses, threshold: threshold, seconds: elapsed, files)
        }
    }

    private static func times(_ files: HostFiles) throws(BuiltInFault) -> [(pid: Int32, cpuSeconds: Double)] {
        try files.eachProcess { (folder, pid) throws(HostFiles.Problem) in
            var seconds = folder.cpuSeconds(of: pid)
            if seconds == nil {
                let ticks = try folder.read("stat", of: pid) { ProcessStat($0, end: $1)?.cpuTicks }
                seconds = ticks.map { Double($0) / ProcessScan.ticksPerSecond }
            }
            return seconds.map { (pid, $0) }
        }
    }

    private struct Use {
        var process: ProcessStat
        var percent: Double
    }

    private static let shown = 10

    private static func judge(
        _ uses: [Use], threshold: Double, seconds: Double, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let sorted = uses.sorted { ($1.percent, $0.process.pid) < ($0.percent, $1.process.pid) }
        let cpus = try files.parsedIfReadable("/proc/stat") { SystemStat($0).cpus }
        var evidence = cpus.map { [Finding.Evidence("CPUs", $0)] } ?? []
        for use in sorted.prefix(shown) {
            evidence.append(Finding.Evidence("\(try ProcessScan.label(use.process, files)) of one CPU", use.percent, unit: "percent"))
        }
        let runaway = sorted.filter { $0.percent >= threshold }
        guard let first = runaway.first else {
            let busiest =
                try sorted.first.map { (use) throws(BuiltInFault) in
                    "; the busiest is \(try ProcessScan.label(use.process, files)) with \(Quantity.percent(use.percent))"
                } ?? ""
            let summary = "No process used \(Quantity.percent(threshold)) of a CPU within \(Quantity.duration(seconds))\(busiest)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let others = runaway.count > 1 ? "; \(runaway.count - 1) more use \(Quantity.percent(threshold)) or more" : ""
        return .found(
            Finding(
                .warning,
                "\(try ProcessScan.label(first.process, files)) used \(Quantity.percent(first.percent)) of a CPU within \(Quantity.duration(seconds))\(others).",
                evidence: evidence,
                hint: """
                    Where that is not its work, look at what it does: perf top -p PID, or a dump of its threads. A CPU limit on its container or \
                    unit protects the rest.
                    """))
    }
}
