import AgentOperations
import NodeFacts

/// Processes that the kernel killed because memory had run out.
enum OutOfMemoryKills {
    private static let scope = Parameter.choice(
        "scope", ["any", "machine"], default: "any",
        "Whose memory had run out: any also reports kills at the limit of one control group, such as a container's.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "oomKills", "Looks for processes that the kernel killed because memory had run out.",
            succeedsWhen: "a process was killed for want of memory in the last sinceSeconds",
            parameters: [KernelLog.sinceSeconds.definition, scope.definition], privileges: ["read access to /dev/kmsg"])
    ) { context, host throws(BuiltInFault) in
        let since = context[KernelLog.sinceSeconds]
        let log = try await KernelLog.read(host, sinceSeconds: since)
        let isOfMachine = context[scope] == "machine"
        return try await host.read { (files) throws(BuiltInFault) in try look(files, log, sinceSeconds: since, isOfMachine: isOfMachine) }
    }

    private static let killsShown = 10

    private static func look(
        _ files: HostFiles, _ log: KernelLog, sinceSeconds: Double, isOfMachine: Bool
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let sinceBoot = try files.parsedIfReadable("/proc/vmstat") { CounterTable($0)["oom_kill"] }
        let kills = OutOfMemoryKill.find(in: log.messages)
        let groups = try groupsWithKills(files)
        var evidence = kills.suffix(killsShown).reversed().map { Finding.Evidence("killed", describe($0, log)) }
        if let sinceBoot { evidence.append(Finding.Evidence("kills since the machine started", sinceBoot)) }
        evidence += groups.map { Finding.Evidence("kills in \(CgroupName.short($0.group)) since it was made", $0.kills) }
        let counted = isOfMachine ? kills.filter { $0.scope != .cgroup } : kills
        guard let last = counted.last else {
            let total = sinceBoot.map { ", \($0) since the machine started" } ?? ""
            let what = isOfMachine ? "the machine's memory" : "memory"
            let summary = "No process was killed for want of \(what) in the last \(Quantity.duration(sinceSeconds))\(total)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let place = last.scope == .cgroup ? "in \(group(last))" : "by the whole machine"
        return .found(
            Finding(
                counted.contains { $0.scope != .cgroup } ? .critical : .warning,
                """
                \(Quantity.count(counted.count, "process was", "processes were")) killed for want of memory in the last \
                \(Quantity.duration(sinceSeconds)); the last was \(name(last)), \(Quantity.duration(log.age(last.sinceBootMicroseconds))) ago, \
                \(place).
                """, evidence: evidence, hint: hint(last)))
    }

    private static func hint(_ kill: OutOfMemoryKill) -> String {
        switch kill.scope {
        case .cgroup:
            """
            The limit of \(group(kill)) was reached, not the machine's memory: raise its memory limit, or look for a leak in \(name(kill)). \
            cgroupMemory tells which groups are near their limits now.
            """
        case .machine, .cpuset, .policy:
            """
            Memory of the machine ran out: memoryPressure tells who has it. Set memory limits for what runs without, or move work away.
            """
        }
    }

    private static func name(_ kill: OutOfMemoryKill) -> String { "\(ProcessScan.printable(kill.name)) (pid \(kill.pid))" }

    private static func group(_ kill: OutOfMemoryKill) -> String {
        let group = kill.limitCgroup ?? kill.taskCgroup ?? "its control group"
        let name = CgroupName.short(group)
        guard let task = kill.taskCgroup, task != group, name == group else { return name }
        return CgroupName.short(task)
    }

    private static func describe(_ kill: OutOfMemoryKill, _ log: KernelLog) -> String {
        let memory = kill.anonymousBytes.map { " with \(Quantity.bytes($0)) of anonymous memory" } ?? ""
        let limit = kill.limitCgroup.map { "; limit of \($0)" } ?? ""
        let place = kill.taskCgroup.map { "; in \($0)" } ?? ""
        return "\(name(kill))\(memory), \(Quantity.duration(log.age(kill.sinceBootMicroseconds))) ago\(limit)\(place)"
    }

    /// The groups in which processes were killed, those with the most first, as far as the machine counts it.
    private static func groupsWithKills(_ files: HostFiles) throws(BuiltInFault) -> [(group: String, kills: UInt64)] {
        guard let tree = try MemoryGroups.tree(files) else { return [] }
        var found: [(group: String, kills: UInt64)] = []
        for group in try tree.groups(files) {
            let kills = try MemoryGroups.kills(group, tree, files)
            if kills > 0 { found.append((group, kills)) }
        }
        return Array(found.sorted { ($1.kills, $0.group) < ($0.kills, $1.group) }.prefix(10))
    }
}
