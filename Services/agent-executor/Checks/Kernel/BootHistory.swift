import AgentOperations
import NodeFacts

/// When the machine started, and whether it went down in order before.
enum BootHistory {
    private static let sinceSeconds = Parameter.seconds(
        "sinceSeconds", 60...31_536_000, default: 86_400, "How far back starts of the machine are looked for.")
    private static let startsMin = Parameter.integer(
        "startsMin", 1...1000, default: 1, "Starts within sinceSeconds from which on they are reported; one after a crash always is.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "bootHistory", "Tells the kernel, the uptime and the last starts of the machine, and which of them followed a crash.",
            succeedsWhen: "the machine was started startsMin times in the last sinceSeconds, or once without having been shut down",
            parameters: [sinceSeconds.definition, startsMin.definition])
    ) { context, host throws(BuiltInFault) in
        let settings = (since: context[sinceSeconds], starts: context[startsMin])
        let now = Double(host.clock.now().microseconds) / 1_000_000
        let uptime = host.clock.uptimeSeconds()
        return try await host.read { (files) throws(BuiltInFault) in
            try look(files, now: now, uptimeSeconds: uptime, sinceSeconds: settings.since, startsMin: settings.starts)
        }
    }

    private struct Start {
        var seconds: Double
        var kernel: String
        /// Nil where no record tells what was before.
        var followsShutdown: Bool?
    }

    private static let wtmp = "/var/log/wtmp"
    private static let shown = 10
    /// Records of wtmp that are read; it is rotated, mostly by the month.
    private static let recordsMax = 20_000
    /// How far a start's record may be off the kernel's own account of it.
    private static let toleranceSeconds = 600.0

    private static func look(
        _ files: HostFiles, now: Double, uptimeSeconds: Double, sinceSeconds: Double, startsMin: Int
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let kernel = Fields(try files.needed("/proc/sys/kernel/osrelease", bytesMax: 256)).rest
        let records = LoginRecord.startsAndStops(try files.readable(wtmp, bytesMax: recordsMax * LoginRecord.bytes) ?? [])
        var starts: [Start] = []
        var wasShutdown: Bool?
        for record in records {
            if record.kind == .shutdown {
                wasShutdown = true
            } else {
                starts.append(Start(seconds: Double(record.seconds), kernel: record.host, followsShutdown: wasShutdown))
                wasShutdown = false
            }
        }
        // The start that this kernel knows of, where no record has it.
        let booted = now - uptimeSeconds
        if starts.last.map({ abs($0.seconds - booted) > toleranceSeconds }) ?? true {
            starts.append(Start(seconds: booted, kernel: kernel, followsShutdown: records.isEmpty ? nil : wasShutdown))
        }
        let dumps = try (files.readableNames(in: "/sys/fs/pstore") ?? []) + (files.readableNames(in: "/var/crash") ?? [])
        let recent = starts.filter { $0.seconds >= now - sinceSeconds }
        let context = Context(
            kernel: ProcessScan.printable(kernel), uptimeSeconds: uptimeSeconds, now: now, hasRecords: !records.isEmpty, dumps: dumps)
        return judge(starts, recent, context, sinceSeconds: sinceSeconds, startsMin: startsMin)
    }

    private struct Context {
        var kernel: String
        var uptimeSeconds: Double
        var now: Double
        var hasRecords: Bool
        /// Files that a crash has left.
        var dumps: [String]
    }

    private static func judge(
        _ starts: [Start], _ recent: [Start], _ context: Context, sinceSeconds: Double, startsMin: Int
    ) -> BuiltInOutcome {
        var evidence = [Finding.Evidence("kernel", context.kernel), Finding.Evidence("uptime", context.uptimeSeconds, unit: "seconds")]
        for start in starts.suffix(shown).reversed() {
            let before =
                start.followsShutdown.map { $0 ? "after a shutdown" : "without a shutdown before" } ?? "what was before is not recorded"
            evidence.append(Finding.Evidence("started \(Quantity.duration(context.now - start.seconds)) ago", "\(start.kernel), \(before)"))
        }
        evidence += context.dumps.sorted().prefix(5).map { Finding.Evidence("left by a crash", ProcessScan.printable($0)) }
        let crashes = recent.count { $0.followsShutdown == false }
        let span = Quantity.duration(sinceSeconds)
        let state = "up for \(Quantity.duration(context.uptimeSeconds)) with kernel \(context.kernel)"
        guard recent.count >= startsMin || crashes > 0 else {
            let source = context.hasRecords ? "" : "; \(wtmp) has no earlier ones"
            let summary = "The machine is \(state); \(Quantity.count(recent.count, "start")) in the last \(span)\(source)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let crashed = crashes > 0 ? ", \(crashes) of them without a shutdown before" : ""
        return .found(
            Finding(
                crashes > 1 ? .critical : .warning,
                "The machine was started \(Quantity.count(recent.count, "time")) in the last \(span)\(crashed); it is \(state).",
                evidence: evidence,
                hint: crashes > 0
                    ? """
                    It lost power, was reset, or its kernel crashed: journalctl -b -1 -n 100 shows what it logged last, /sys/fs/pstore and /var/crash what a \
                    crash left; hardwareErrors looks for its cause.
                    """
                    : recent.allSatisfy { $0.followsShutdown == true }
                        ? "It was shut down in order: ask whoever maintains it, or journalctl --list-boots."
                        : "What was before is not recorded everywhere: journalctl --list-boots may know, or whoever maintains it."))
    }
}
