import AgentOperations
import NodeFacts

/// Control groups that are about to hit their memory limits.
enum GroupMemory {
    private static let usagePercent = Parameter.percent(
        "usagePercent", default: 90, "Working set of a control group, of its memory limit, from which on it is reported.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "cgroupMemory", "Compares the memory of containers and units with their limits.",
            succeedsWhen: "the working set of a control group is at usagePercent of its limit or above",
            parameters: [usagePercent.definition])
    ) { context, host throws(BuiltInFault) in
        let threshold = context[usagePercent]
        return try await host.read { (files) throws(BuiltInFault) in try look(files, threshold) }
    }

    private static let criticalPercent = 98.0
    private static let shown = 10

    private static func look(_ files: HostFiles, _ threshold: Double) throws(BuiltInFault) -> BuiltInOutcome {
        let tree = try CgroupTree("memory", files)
        var uses: [MemoryGroups.Use] = []
        for group in try tree.groups(files) {
            if let use = try MemoryGroups.use(group, tree, files), use.limit > 0 { uses.append(use) }
        }
        uses.sort { ($1.percent, $0.group) < ($0.percent, $1.group) }
        let full = uses.filter { $0.percent >= threshold }
        let evidence = uses.prefix(shown).flatMap(evidence)
        guard let first = full.first else {
            let fullest = uses.first.map { "; the fullest, \(CgroupName.short($0.group)), is at \(Quantity.percent($0.percent))" } ?? ""
            let summary =
                "\(Quantity.count(uses.count, "control group has a memory limit", "control groups have a memory limit"))\(fullest)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let others = full.count > 1 ? "; \(full.count - 1) more are above \(Quantity.percent(threshold))" : ""
        return .found(
            Finding(
                first.percent >= criticalPercent ? .critical : .warning,
                """
                \(CgroupName.short(first.group)) uses \(Quantity.bytes(first.workingSet)) of its \(Quantity.bytes(first.limit)) of memory \
                (\(Quantity.percent(first.percent)))\(others).
                """, evidence: evidence,
                hint: """
                    At its limit the group is slowed down, then its processes are killed (oomKills). Raise the limit if the use is as it should \
                    be, otherwise look for a leak.
                    """))
    }

    private static func evidence(_ use: MemoryGroups.Use) -> [Finding.Evidence] {
        let name = CgroupName.short(use.group)
        var evidence = [
            Finding.Evidence("\(name) working set", use.workingSet, unit: "bytes"),
            Finding.Evidence("\(name) limit", use.limit, unit: "bytes"),
        ]
        if use.limitHits > 0 { evidence.append(Finding.Evidence("\(name) times at its limit", use.limitHits)) }
        if use.kills > 0 { evidence.append(Finding.Evidence("\(name) kills", use.kills)) }
        return evidence
    }
}
