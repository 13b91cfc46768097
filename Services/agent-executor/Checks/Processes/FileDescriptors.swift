import AgentOperations
import NodeFacts

/// Open files, of the machine and of each process, beside their limits.
enum FileDescriptors {
    private static let systemPercent = Parameter.percent(
        "systemPercent", default: 70, "Open files of the machine, of the most there may be, from which on they are reported.")
    private static let processPercent = Parameter.percent(
        "processPercent", default: 80, "Open files of a process, of its soft limit, from which on they are reported.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "fileDescriptors", "Compares open files with the limits of the machine and of each process.",
            succeedsWhen: "the machine has systemPercent of its file handles open, or a process processPercent of those that it may open",
            parameters: [systemPercent.definition, processPercent.definition], privileges: ["root, for processes of other users"])
    ) { context, host throws(BuiltInFault) in
        let thresholds = (system: context[systemPercent], process: context[processPercent])
        return try await host.read { (files) throws(BuiltInFault) in
            let handles = try files.parsed("/proc/sys/fs/file-nr") { FileHandles($0) }
            return try judge(handles, try uses(files), thresholds.system, thresholds.process, files)
        }
    }

    private struct Use {
        var pid: Int32
        var open: UInt64
        var limit: UInt64
        var percent: Double { open.percent(of: limit) }
    }

    private struct Uses {
        var counted: [Use] = []
        var refused = 0
    }

    private static let criticalPercent = 90.0
    private static let shown = 10

    private static func uses(_ files: HostFiles) throws(BuiltInFault) -> Uses {
        var uses = Uses()
        uses.counted = try files.eachProcess(bytesMax: 8192) { (folder, pid) throws(HostFiles.Problem) in
            switch try folder.descriptors(of: pid) {
            case .counted(let open):
                var limit = folder.openFilesLimit(of: pid)
                if limit == nil { limit = try folder.read("limits", of: pid) { ProcessLimits($0, end: $1)["Max open files"]?.soft } }
                return limit.map { Use(pid: pid, open: UInt64(open), limit: $0) }
            case .refused:
                uses.refused += 1
                return nil
            case .gone: return nil
            }
        }
        return uses
    }

    private static func judge(
        _ handles: FileHandles, _ uses: Uses, _ systemThreshold: Double, _ processThreshold: Double, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let sorted = uses.counted.sorted { ($1.percent, $0.pid) < ($0.percent, $1.pid) }
        let system = handles.open.percent(of: handles.limit)
        var evidence = [
            Finding.Evidence("open files of the machine", handles.open), Finding.Evidence("limit of the machine", handles.limit),
        ]
        for use in sorted.prefix(shown) where use.open > 0 {
            let name = try ProcessScan.label(of: use.pid, files)
            evidence += [Finding.Evidence("\(name) open", use.open), Finding.Evidence("\(name) limit", use.limit)]
        }
        let full = sorted.filter { $0.percent >= processThreshold && $0.open > 0 }
        let machine = "the machine has \(handles.open) of \(handles.limit) file handles open (\(Quantity.percent(system)))"
        guard system >= systemThreshold || !full.isEmpty else {
            let unseen =
                uses.refused > 0 ? "; \(Quantity.count(uses.refused, "process", "processes")) could not be looked at without root" : ""
            let most =
                try sorted.first.map { (use) throws(BuiltInFault) in
                    "; the fullest process, \(try ProcessScan.label(of: use.pid, files)), \(use.open) of \(use.limit)"
                } ?? ""
            let summary = "\(machine.prefix(1).uppercased() + machine.dropFirst())\(most)\(unseen)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        var parts: [String] = []
        for use in full.prefix(1) {
            let others = full.count > 1 ? " (\(full.count - 1) more are near theirs)" : ""
            parts.append("\(try ProcessScan.label(of: use.pid, files)) has \(use.open) of its \(use.limit) descriptors open\(others)")
        }
        if system >= systemThreshold { parts.append(machine) }
        // A name of a program stays as it is.
        let summary = full.isEmpty ? machine.prefix(1).uppercased() + machine.dropFirst() : parts.joined(separator: "; ")
        let isCritical = system >= criticalPercent || (full.first?.percent ?? 0) >= criticalPercent
        return .found(
            Finding(
                isCritical ? .critical : .warning, "\(summary).", evidence: evidence,
                hint: """
                    Past the limit nothing can be opened or accepted (EMFILE). Look for a leak with lsof -p PID; where the use is right, raise LimitNOFILE \
                    of the unit or ulimit -n, and fs.file-max for the machine.
                    """))
    }
}
