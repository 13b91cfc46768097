import AgentOperations
import NodeFacts

/// Block devices that have more to do than they can.
enum DiskSaturation {
    private static let queueMax = Parameter.number(
        "queueMax", 0.1...100_000, default: 10, "Requests in flight on average, from which on a disk is reported.")
    private static let awaitSeconds = Parameter.seconds(
        "awaitSeconds", 0.0001...3600, default: 0.1, "Time that a request takes on average, from which on a busy disk is reported.")
    private static let busyPercent = Parameter.percent(
        "busyPercent", default: 90, "Share of time with a request in flight, from which on a disk is busy.")
    private static let sampleSeconds = Parameter.seconds("sampleSeconds", 0.1...60, default: 3, "How long the disks are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "diskSaturation", "Watches how busy disks are, how long requests take, and who waits for them.",
            succeedsWhen:
                "a disk had queueMax requests in flight on average, or was busy for busyPercent of the time with requests that took awaitSeconds",
            parameters: [queueMax.definition, awaitSeconds.definition, busyPercent.definition, sampleSeconds.definition], timeoutSeconds: 90
        )
    ) { context, host throws(BuiltInFault) in
        let limits = (queue: context[queueMax], wait: context[awaitSeconds], busy: context[busyPercent])
        let begin = host.clock.uptimeSeconds()
        let before = try await host.read { (files) throws(BuiltInFault) in try disks(files) }
        try await host.sleep(seconds: context[sampleSeconds])
        let seconds = max(0.01, host.clock.uptimeSeconds() - begin)
        return try await host.read { (files) throws(BuiltInFault) in
            let loads = try disks(files).compactMap { name, now in before[name].map { Load(name, $0, now, seconds: seconds) } }
                .sorted { ($1.queue, $0.name) < ($0.queue, $1.name) }
            let full = loads.filter { $0.queue >= limits.queue || ($0.busyPercent >= limits.busy && $0.waitSeconds >= limits.wait) }
            return try judge(loads, full, seconds: seconds, files)
        }
    }

    private struct Load: Sendable {
        var name: String
        var queue: Double
        var busyPercent: Double
        var waitSeconds: Double
        var requestsPerSecond: Double
        var bytesPerSecond: Double

        init(_ name: String, _ before: DiskCounters, _ now: DiskCounters, seconds: Double) {
            self.name = name
            let requests = now.reads.since(before.reads).saturatingAdd(now.writes.since(before.writes))
            let milliseconds = now.readMilliseconds.since(before.readMilliseconds)
                .saturatingAdd(now.writeMilliseconds.since(before.writeMilliseconds))
            let sectors = now.readSectors.since(before.readSectors).saturatingAdd(now.writtenSectors.since(before.writtenSectors))
            queue = Double(now.weightedMilliseconds.since(before.weightedMilliseconds)) / 1000 / seconds
            busyPercent = min(100, Double(now.busyMilliseconds.since(before.busyMilliseconds)) / 10 / seconds)
            waitSeconds = requests == 0 ? 0 : Double(milliseconds) / 1000 / Double(requests)
            requestsPerSecond = Double(requests) / seconds
            bytesPerSecond = Double(sectors) * 512 / seconds
        }
    }

    private static let shown = 5

    /// Whole disks, by name; partitions are part of them, and memory that looks like a disk is none.
    private static func disks(_ files: HostFiles) throws(BuiltInFault) -> [String: DiskCounters] {
        let rows = DiskCounters.rows(try files.needed("/proc/diskstats"))
        let whole = try files.readableNames(in: "/sys/block").map(Set.init)
        let counted = rows.filter { row in
            !["ram", "zram", "loop"].contains { row.name.hasPrefix($0) } && whole?.contains(row.name.replacing("/", with: "!")) ?? true
        }
        return Dictionary(counted.map { ($0.name, $0) }) { first, _ in first }
    }

    private static func judge(_ loads: [Load], _ full: [Load], seconds: Double, _ files: HostFiles) throws(BuiltInFault) -> BuiltInOutcome {
        var evidence = loads.prefix(shown).flatMap { load in
            [
                Finding.Evidence("\(load.name) requests in flight", load.queue),
                Finding.Evidence("\(load.name) busy", load.busyPercent, unit: "percent"),
                Finding.Evidence("\(load.name) time of a request", load.waitSeconds, unit: "seconds"),
                Finding.Evidence("\(load.name) requests", load.requestsPerSecond, unit: "per second"),
                Finding.Evidence("\(load.name) throughput", load.bytesPerSecond, unit: "bytes per second"),
            ]
        }
        guard let first = full.first else {
            let busiest = loads.first.map { "; the busiest: \(describe($0))" } ?? ""
            let summary = "\(Quantity.count(loads.count, "disk")) watched for \(Quantity.duration(seconds)), none saturated\(busiest)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let offenders = try PressureByGroup.offenders("io", files)
        evidence += PressureByGroup.evidence(offenders)
        let others = full.count > 1 ? "; \(full.count - 1) more are saturated" : ""
        let most = offenders.first.map { "; most of all waits \(CgroupName.short($0.group))" } ?? ""
        return .found(
            Finding(
                .warning, "Disk \(describe(first))\(others)\(most).", evidence: evidence,
                hint: """
                    Look for who reads or writes that much (iotop -obn1, pidstat -d 1), and whether the disk or the volume is throttled by its provider: kernelLog \
                    tells of errors and resets.
                    """))
    }

    private static func describe(_ load: Load) -> String {
        """
        \(load.name) has \(Quantity.rounded(load.queue, places: 1)) requests in flight and is busy \(Quantity.percent(load.busyPercent)) of the time; a request \
        takes \(Quantity.duration(load.waitSeconds))
        """
    }
}
