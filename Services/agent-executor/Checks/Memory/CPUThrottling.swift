import AgentOperations
import NodeFacts

/// Control groups that their CPU quota holds back.
enum CPUThrottling {
    private static let throttledPercent = Parameter.percent(
        "throttledPercent", default: 25, "Share of a group's periods in which it used up its quota, from which on it is reported.")
    private static let sampleSeconds = Parameter.seconds("sampleSeconds", 0.1...60, default: 5, "How long the groups are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "cpuThrottling", "Watches which containers and units their CPU quota holds back.",
            succeedsWhen: "a control group used up its CPU quota in throttledPercent of its periods while it was watched",
            parameters: [throttledPercent.definition, sampleSeconds.definition], timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let seconds = context[sampleSeconds]
        let before = try await host.read { (files) throws(BuiltInFault) in try sample(files) }
        try await host.sleep(seconds: seconds)
        let after = try await host.read { (files) throws(BuiltInFault) in try sample(files) }
        return judge(before, after, threshold: context[throttledPercent], seconds: seconds)
    }

    private struct Counters: Sendable {
        var periods: UInt64 = 0
        var throttled: UInt64 = 0
        var throttledSeconds = 0.0
    }

    private struct Throttled {
        var group: String
        var percent: Double
        var seconds: Double
    }

    /// Periods needed for a share that says something.
    private static let periodsMin: UInt64 = 5
    private static let shown = 15

    /// The counters of all groups; a group without a quota has no periods.
    private static func sample(_ files: HostFiles) throws(BuiltInFault) -> [String: Counters] {
        let tree = try CgroupTree("cpu", files)
        var sample: [String: Counters] = [:]
        for group in try tree.groups(files) {
            guard let table = try tree.counters(group, "cpu.stat", files), let periods = table["nr_periods"] else { continue }
            // v2 counts microseconds, v1 nanoseconds.
            let seconds = table["throttled_usec"].map { Double($0) / 1e6 } ?? Double(table["throttled_time"] ?? 0) / 1e9
            sample[group] = Counters(periods: periods, throttled: table["nr_throttled"] ?? 0, throttledSeconds: seconds)
        }
        return sample
    }

    private static func judge(
        _ before: [String: Counters], _ after: [String: Counters], threshold: Double, seconds: Double
    ) -> BuiltInOutcome {
        let watched = after.compactMap { group, now -> Throttled? in
            // A group that was made meanwhile began at nothing.
            let then = before[group] ?? Counters()
            guard now.periods.since(then.periods) >= min(periodsMin, UInt64(max(1, seconds * 5))) else {
                return nil
            }
            return Throttled(
                group: group, percent: min(100, now.throttled.since(then.throttled).percent(of: now.periods.since(then.periods))),
                seconds: max(0, now.throttledSeconds - then.throttledSeconds))
        }.sorted { ($1.percent, $0.group) < ($0.percent, $1.group) }
        let held = watched.filter { $0.percent >= threshold && $0.percent > 0 }
        let evidence = watched.prefix(shown).flatMap { group in
            [
                Finding.Evidence("\(CgroupName.short(group.group)) periods throttled", group.percent, unit: "percent"),
                Finding.Evidence("\(CgroupName.short(group.group)) time throttled", group.seconds, unit: "seconds"),
            ]
        }
        guard let first = held.first else {
            let summary = """
                \(Quantity.count(after.values.count { $0.periods > 0 }, "control group has", "control groups have")) a CPU quota; none used it up in \
                \(Quantity.percent(threshold)) of its periods within \(Quantity.duration(seconds)).
                """
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let others = held.count > 1 ? "; \(held.count - 1) more are held back too" : ""
        return .found(
            Finding(
                .warning,
                "\(CgroupName.short(first.group)) is throttled in \(Quantity.percent(first.percent)) of its CPU periods\(others).",
                evidence: evidence,
                hint: """
                    The group wants more CPU than its quota (cpu.max, or cpu.cfs_quota_us of cgroup v1) allows in each period, and stands still for the rest of it: raise or \
                    remove the CPU limit, or spread its work.
                    """))
    }
}
