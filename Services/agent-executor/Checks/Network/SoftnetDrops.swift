import AgentOperations
import NodeFacts

/// Received packets that the CPUs do not get round to.
enum SoftnetDrops {
    private static let dropsMin = Parameter.integer(
        "dropsMin", 1...1_000_000_000, default: 1, "Packets dropped while watched, from which on they are reported.")
    private static let squeezesPerSecond = Parameter.number(
        "squeezesPerSecond", 0.1...1_000_000, default: 100,
        "Times a second that a CPU stopped with packets left, from which on it is reported.")
    private static let sampleSeconds = Parameter.seconds("sampleSeconds", 0.1...60, default: 5, "How long the counters are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "softnet", "Watches received packets that the CPUs drop or put off.",
            succeedsWhen:
                "dropsMin packets were dropped before a CPU took them, or a CPU stopped with packets left squeezesPerSecond times a second",
            parameters: [dropsMin.definition, squeezesPerSecond.definition, sampleSeconds.definition], timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let begin = host.clock.uptimeSeconds()
        let before = try await host.read { (files) throws(BuiltInFault) in try rows(files) }
        try await host.sleep(seconds: context[sampleSeconds])
        let now = try await host.read { (files) throws(BuiltInFault) in try rows(files) }
        let seconds = max(0.01, host.clock.uptimeSeconds() - begin)
        return judge(before, now, dropsMin: UInt64(context[dropsMin]), squeezes: context[squeezesPerSecond], seconds: seconds)
    }

    private static let shown = 8

    private static func rows(_ files: HostFiles) throws(BuiltInFault) -> [SoftnetCounters] {
        let rows = SoftnetCounters.rows(try files.needed("/proc/net/softnet_stat", bytesMax: 1 << 20))
        if rows.isEmpty { throw .failed("/proc/net/softnet_stat is not what the kernel writes there") }
        return rows
    }

    private static func judge(
        _ before: [SoftnetCounters], _ now: [SoftnetCounters], dropsMin: UInt64, squeezes: Double, seconds: Double
    ) -> BuiltInOutcome {
        let earlier = Dictionary(before.map { ($0.cpu, $0) }) { first, _ in first }
        let changes = now.map { row -> SoftnetCounters in
            let then = earlier[row.cpu] ?? row
            var change = row
            change.processed = row.processed.since(then.processed)
            change.dropped = row.dropped.since(then.dropped)
            change.timeSqueezed = row.timeSqueezed.since(then.timeSqueezed)
            return change
        }.sorted { ($1.dropped, $1.timeSqueezed, $0.cpu) < ($0.dropped, $0.timeSqueezed, $1.cpu) }
        let dropped = changes.reduce(UInt64(0)) { $0.saturatingAdd($1.dropped) }
        let processed = changes.reduce(UInt64(0)) { $0.saturatingAdd($1.processed) }
        let worst = changes.max { $0.timeSqueezed < $1.timeSqueezed }
        let rate = Double(worst?.timeSqueezed ?? 0) / seconds
        var evidence = [
            Finding.Evidence("packets", processed), Finding.Evidence("dropped", dropped),
            Finding.Evidence("dropped since the machine started", now.reduce(UInt64(0)) { $0.saturatingAdd($1.dropped) }),
        ]
        for row in changes.prefix(shown) where row.dropped > 0 || row.timeSqueezed > 0 {
            evidence += [
                Finding.Evidence("CPU \(row.cpu) dropped", row.dropped), Finding.Evidence("CPU \(row.cpu) squeezed", row.timeSqueezed),
            ]
        }
        let span = Quantity.duration(seconds)
        let state = "\(dropped) of \(processed) received packets were dropped before a CPU took them in \(span)"
        guard dropped >= dropsMin || rate >= squeezes else {
            return .ruledOut("\(state).", finding: Finding(.info, "\(state).", evidence: evidence))
        }
        let squeezed = rate >= squeezes ? "; CPU \(worst?.cpu ?? 0) stopped with packets left \(Int(rate.rounded())) times a second" : ""
        return .found(
            Finding(
                .warning, "\(state)\(squeezed).", evidence: evidence,
                hint: """
                    A CPU gets more packets than it handles: spread them (irqbalance, RSS, RPS), raise net.core.netdev_max_backlog for drops and \
                    net.core.netdev_budget for squeezes. In a virtual machine look for steal time.
                    """))
    }
}
