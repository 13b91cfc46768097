import AgentOperations
import NodeFacts

/// How full the kernel's table of tracked connections is.
enum ConnectionTracking {
    private static let usagePercent = Parameter.percent(
        "usagePercent", default: 75, "Tracked connections, of the most there may be, from which on they are reported.")
    private static let sampleSeconds = Parameter.seconds(
        "sampleSeconds", 0.1...60, default: 2, "How long the counters of dropped packets are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "conntrack", "Tells how full the table of tracked connections is, and whether packets were dropped for it.",
            succeedsWhen: "usagePercent of the table is taken, or packets were dropped because it was full while it was watched",
            parameters: [usagePercent.definition, sampleSeconds.definition], timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let before = try await host.read { (files) throws(BuiltInFault) in try sample(files) }
        guard let before else { return .ruledOut("Connections are not tracked on this node: the kernel has no nf_conntrack loaded.") }
        try await host.sleep(seconds: context[sampleSeconds])
        guard let now = try await host.read({ (files) throws(BuiltInFault) in try sample(files) }) else {
            throw .unavailable("nf_conntrack was unloaded meanwhile")
        }
        return judge(before, now, threshold: context[usagePercent])
    }

    private struct Sample: Sendable {
        var entries: UInt64
        var limit: UInt64
        var counters: ConntrackCounters?
    }

    private static let folder = "/proc/sys/net/netfilter"
    private static let criticalPercent = 95.0

    /// Nil where the module is not loaded.
    private static func sample(_ files: HostFiles) throws(BuiltInFault) -> Sample? {
        guard let count = try files.present("\(folder)/nf_conntrack_count", bytesMax: 64) else {
            _ = try files.needed("/proc/net/dev")
            return nil
        }
        guard let entries = Number.only(count) else { throw .failed("\(folder)/nf_conntrack_count is not what the kernel writes there") }
        let limit = try files.parsed("\(folder)/nf_conntrack_max") { Number.only($0) }
        return Sample(
            entries: entries, limit: limit, counters: try files.readable("/proc/net/stat/nf_conntrack").map { ConntrackCounters($0) })
    }

    private static func judge(_ before: Sample, _ now: Sample, threshold: Double) -> BuiltInOutcome {
        let names = ["drop", "early_drop", "insert_failed"]
        let lost = names.reduce(UInt64(0)) { sum, name in
            sum.saturatingAdd((now.counters?[name] ?? 0).since(before.counters?[name] ?? 0))
        }
        let percent = now.entries.percent(of: now.limit)
        var evidence = [Finding.Evidence("tracked connections", now.entries), Finding.Evidence("limit", now.limit)]
        for name in names {
            guard let total = now.counters?[name] else { continue }
            evidence.append(Finding.Evidence("\(name) since the machine started", total))
        }
        let state = "\(now.entries) of \(now.limit) connections are tracked (\(Quantity.percent(percent)))"
        guard percent >= threshold || lost > 0 else {
            let summary = "\(state), no packet was dropped meanwhile."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        evidence.insert(Finding.Evidence("dropped while watched", lost), at: 0)
        return .found(
            Finding(
                percent >= criticalPercent || lost > 0 ? .critical : .warning,
                lost > 0
                    ? "\(state); \(Quantity.count(Int(clamping: lost), "packet was", "packets were")) dropped meanwhile." : "\(state).",
                evidence: evidence,
                hint: """
                    When the table is full new connections are dropped. conntrack -S and conntrack -L tell who fills it; raise net.netfilter.nf_conntrack_max \
                    (and nf_conntrack_buckets), or shorten nf_conntrack_tcp_timeout_*.
                    """))
    }
}
