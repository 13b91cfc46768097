import AgentOperations
import NodeFacts

/// Processes that have ended and that their parents don't collect.
enum ZombieProcesses {
    private static let zombiesMin = Parameter.integer("zombiesMin", 1...1_000_000, default: 5, "Zombies from which on they are reported.")
    private static let sampleSeconds = Parameter.seconds(
        "sampleSeconds", 0.1...60, default: 1, "How long a process has to stay a zombie: every process is one for a moment.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "zombieProcesses", "Looks for processes that have ended and are not collected by their parents.",
            succeedsWhen: "at least zombiesMin processes stayed zombies for sampleSeconds",
            parameters: [zombiesMin.definition, sampleSeconds.definition], timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let first = try await host.read { (files) throws(BuiltInFault) in try ProcessScan(files) }
        let earlier = Set(zombies(first).map(\.key))
        if !earlier.isEmpty { try await host.sleep(seconds: context[sampleSeconds]) }
        return try await host.read { [zombiesMin = context[zombiesMin]] (files) throws(BuiltInFault) in
            let scan = earlier.isEmpty ? first : try ProcessScan(files)
            return try judge(zombies(scan).filter { earlier.contains($0.key) }, in: scan, zombiesMin: zombiesMin, files)
        }
    }

    private static let parentsShown = 10

    private static func zombies(_ scan: ProcessScan) -> [ProcessStat] { scan.processes.filter { $0.state == .zombie } }

    private static func judge(
        _ zombies: [ProcessStat], in scan: ProcessScan, zombiesMin: Int, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let parents = Dictionary(grouping: zombies, by: \.parent).sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let known = scan.byPID
        var evidence = [Finding.Evidence("zombies", zombies.count), Finding.Evidence("processes", scan.processes.count)]
        var names: [String] = []
        for (pid, children) in parents.prefix(parentsShown) {
            let label = try known[pid].map { (parent) throws(BuiltInFault) in try ProcessScan.label(parent, files) } ?? "pid \(pid)"
            names.append(label)
            evidence.append(Finding.Evidence("zombies of \(label), such as \(ProcessScan.printable(children[0].name))", children.count))
        }
        guard zombies.count >= zombiesMin, let worst = parents.first else {
            let summary = """
                \(Quantity.count(zombies.count, "process", "processes")) of \(scan.processes.count) \
                \(zombies.count == 1 ? "is a zombie" : "are zombies"); fewer than \(zombiesMin).
                """
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        return .found(
            Finding(
                zombies.count >= 1000 ? .critical : .warning,
                "\(Quantity.count(zombies.count, "zombie process", "zombie processes")), \(worst.value.count) of them children of \(names[0]).",
                evidence: evidence,
                hint: """
                    The parent does not wait for its children, or hangs. Restart it; in a container an init such as tini collects them. Each takes a \
                    pid: pidLimits tells how many are left.
                    """))
    }
}
