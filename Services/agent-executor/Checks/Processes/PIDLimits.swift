import AgentOperations
import NodeFacts

/// Processes and threads, of the machine and of each control group, beside their limits.
enum PIDLimits {
    private static let usagePercent = Parameter.percent(
        "usagePercent", default: 80, "Tasks, of the most there may be, from which on they are reported.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "pidLimits", "Compares processes and threads with the limits of the machine and of each control group.",
            succeedsWhen: "the machine or a control group has usagePercent of the tasks that it may have",
            parameters: [usagePercent.definition])
    ) { context, host throws(BuiltInFault) in
        let threshold = context[usagePercent]
        return try await host.read { (files) throws(BuiltInFault) in judge(try uses(files), threshold) }
    }

    private struct Use {
        var name: String
        var tasks: UInt64
        var limit: UInt64
        var rejected: UInt64 = 0
        var percent: Double { tasks.percent(of: limit) }
    }

    private static let criticalPercent = 95.0
    private static let shown = 10

    /// The machine's first, then the groups'.
    private static func uses(_ files: HostFiles) throws(BuiltInFault) -> [Use] {
        let tasks = try files.parsed("/proc/loadavg") { LoadAverage($0) }.tasks
        let pids = try files.parsed("/proc/sys/kernel/pid_max") { Number.only($0) }
        let threads = try files.parsed("/proc/sys/kernel/threads-max") { Number.only($0) }
        var uses = [Use(name: "the machine", tasks: tasks, limit: min(pids, threads))]
        let tree: CgroupTree
        do throws(BuiltInFault) {
            tree = try CgroupTree("pids", files)
        } catch .unavailable {
            return uses
        }
        for group in try tree.groups(files) {
            guard let limit = try tree.limit(group, "pids.max", files), let current = try tree.number(group, "pids.current", files) else {
                continue
            }
            let rejected = try tree.counters(group, "pids.events", files)?["max"] ?? 0
            uses.append(Use(name: CgroupName.short(group), tasks: current, limit: limit, rejected: rejected))
        }
        return uses
    }

    private static func judge(_ uses: [Use], _ threshold: Double) -> BuiltInOutcome {
        let machine = uses[0]
        let sorted = uses.sorted { ($1.percent, $0.name) < ($0.percent, $1.name) }
        var evidence = [Finding.Evidence("tasks of the machine", machine.tasks), Finding.Evidence("limit of the machine", machine.limit)]
        for use in sorted.prefix(shown) where use.name != machine.name {
            evidence += [Finding.Evidence("tasks of \(use.name)", use.tasks), Finding.Evidence("limit of \(use.name)", use.limit)]
            if use.rejected > 0 { evidence.append(Finding.Evidence("forks refused in \(use.name)", use.rejected)) }
        }
        let full = sorted.filter { $0.percent >= threshold && $0.tasks > 0 }
        guard let first = full.first else {
            let groups = Quantity.count(uses.count - 1, "control group with a limit", "control groups with limits")
            let summary = "The machine has \(machine.tasks) of \(machine.limit) tasks; \(groups), none at \(Quantity.percent(threshold))."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let others = full.count > 1 ? "; \(full.count - 1) more are near theirs" : ""
        let name = first.name.prefix(1).uppercased() + first.name.dropFirst()
        return .found(
            Finding(
                first.percent >= criticalPercent ? .critical : .warning,
                "\(name) has \(first.tasks) of \(first.limit) tasks (\(Quantity.percent(first.percent)))\(others).", evidence: evidence,
                hint: """
                    At the limit no process and no thread can be started (EAGAIN). Look for who makes them: zombieProcesses, or ps -eLf; where the number is \
                    right, raise TasksMax of the unit, the kubelet's podPidsLimit, or kernel.pid_max.
                    """))
    }
}
