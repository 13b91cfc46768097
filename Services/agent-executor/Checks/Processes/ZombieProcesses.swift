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
        let first = try await host.read { (files) throws(BuiltInFault) in try ZombieScan(files) }
        let earlier = Set(first.zombies.map(\.key))
        if !earlier.isEmpty { try await host.sleep(seconds: context[sampleSeconds]) }
        return try await host.read { [zombiesMin = context[zombiesMin]] (files) throws(BuiltInFault) in
            let scan = earlier.isEmpty ? first : try ZombieScan(files)
            let stayed = scan.zombies.filter { earlier.contains($0.key) }
            return try judge(stayed, processes: scan.processes, zombiesMin: zombiesMin, files)
        }
    }

    private static let parentsShown = 10

    private static func judge(
        _ zombies: [ProcessStat], processes: Int, zombiesMin: Int, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let parents = Dictionary(grouping: zombies, by: \.parent).sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        var evidence = [Finding.Evidence("zombies", zombies.count), Finding.Evidence("processes", processes)]
        var names: [String] = []
        for (pid, children) in parents.prefix(parentsShown) {
            let label = try ProcessScan.label(of: pid, files)
            names.append(label)
            evidence.append(Finding.Evidence("zombies of \(label), such as \(ProcessScan.printable(children[0].name))", children.count))
        }
        guard zombies.count >= zombiesMin, let worst = parents.first else {
            let summary = """
                \(Quantity.count(zombies.count, "process", "processes")) of \(processes) \
                \(zombies.count == 1 ? "is a zombie" : "are zombies"); fewer than \(zombiesMin).
                """
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let share = zombies.count == 1 ? "a child of" : "\(worst.value.count) of them children of"
        return .found(
            Finding(
                zombies.count >= 1000 ? .critical : .warning,
                "\(Quantity.count(zombies.count, "zombie process", "zombie processes")), \(share) \(names[0]).",
                evidence: evidence,
                hint: worst.key == 1
                    ? "The machine's first process does not wait for its children, or hangs: only a reboot starts it anew. pidLimits tells how many pids are left."
                    : """
                    The parent does not wait for its children, or hangs. Restart it; in a container an init such as tini collects them. Each takes a \
                    pid: pidLimits tells how many are left.
                    """))
    }
}

/// The zombies of the machine at one moment, and how many processes it has. Most processes have files open, so that their `stat`, which costs
/// several times as much, need not be read.
private struct ZombieScan: Sendable {
    let zombies: [ProcessStat]
    let processes: Int

    init(_ files: HostFiles) throws(BuiltInFault) {
        var processes = 0
        zombies = try files.eachProcess { (folder, pid) throws(HostFiles.Problem) in
            if folder.isKnownToHaveOpenFiles(pid) {
                processes += 1
                return nil
            }
            guard let stat = try folder.read("stat", of: pid, { ProcessStat($0, end: $1) }) else { return nil }
            processes += 1
            // While other threads run, the first one's end is no end of the process.
            return stat.state == .zombie && stat.threads <= 1 ? stat : nil
        }
        if processes == 0 { throw ProcessScan.noneReadable }
        self.processes = processes
    }
}
