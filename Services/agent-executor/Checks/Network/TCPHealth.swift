import AgentOperations
import NodeFacts

/// Whether connections are refused because a server does not accept them in time, and whether segments are lost on the way.
enum TCPHealth {
    private static let dropsMin = Parameter.integer(
        "dropsMin", 1...1_000_000_000, default: 1,
        "Connection attempts dropped by full accept queues while watched, from which on they are reported.")
    private static let retransmitPercent = Parameter.percent(
        "retransmitPercent", default: 5, "Segments sent again, of those sent, from which on they are reported; of at least 100.")
    private static let sampleSeconds = Parameter.seconds("sampleSeconds", 0.1...60, default: 5, "How long the counters are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "tcpHealth", "Watches connection attempts dropped by full accept queues, and segments that are sent again.",
            succeedsWhen:
                "dropsMin connection attempts were dropped by full queues, or retransmitPercent of the segments were sent again, while it watched",
            parameters: [dropsMin.definition, retransmitPercent.definition, sampleSeconds.definition], timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let seconds = context[sampleSeconds]
        let limits = Limits(drops: UInt64(context[dropsMin]), retransmitPercent: context[retransmitPercent])
        let before = try await host.read { (files) throws(BuiltInFault) in try counters(files) }
        try await host.sleep(seconds: seconds)
        return try await host.read { (files) throws(BuiltInFault) in
            try judge(Change(before: before, now: try counters(files)), limits, seconds: seconds, files)
        }
    }

    private struct Limits: Sendable {
        var drops: UInt64
        var retransmitPercent: Double
    }

    private struct Change {
        var before: ProtocolCounters
        var now: ProtocolCounters

        func callAsFunction(_ protocol: String, _ name: String) -> UInt64 { now(`protocol`, name).since(before(`protocol`, name)) }
    }

    /// Fewer segments than these say nothing about a share of them.
    private static let segmentsMin: UInt64 = 100
    private static let queuesShown = 5
    private static let dropCounters = ["ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPBacklogDrop"]
    private static let otherCounters = ["TCPTimeouts", "TCPSynRetrans", "TCPAbortOnMemory", "TCPMemoryPressures", "PruneCalled"]

    private static func counters(_ files: HostFiles) throws(BuiltInFault) -> ProtocolCounters {
        var text = try files.needed("/proc/net/snmp", bytesMax: 1 << 20)
        text.append(0x0A)
        return ProtocolCounters(text + (try files.needed("/proc/net/netstat", bytesMax: 1 << 20)))
    }

    private static func judge(
        _ change: Change, _ limits: Limits, seconds: Double, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        // The kernel counts an overflow among the drops too.
        let drops = max(change("TcpExt", "ListenDrops"), change("TcpExt", "ListenOverflows")).saturatingAdd(
            change("TcpExt", "TCPReqQFullDrop"))
        let sent = change("Tcp", "OutSegs")
        let again = change("Tcp", "RetransSegs")
        let percent = again.percent(of: sent)
        let sockets = try sockets(files)
        var evidence = [
            Finding.Evidence("segments sent", sent), Finding.Evidence("segments sent again", again),
            Finding.Evidence("segments sent again, of all", percent, unit: "percent"),
        ]
        for name in dropCounters + otherCounters {
            evidence.append(Finding.Evidence("\(name) while watched", change("TcpExt", name)))
            evidence.append(Finding.Evidence("\(name) since the machine started", change.now("TcpExt", name)))
        }
        evidence += sockets.evidence
        let isLossy = sent >= segmentsMin && percent >= limits.retransmitPercent
        let span = Quantity.duration(seconds)
        guard drops >= limits.drops || isLossy else {
            let summary =
                "\(Quantity.count(Int(clamping: drops), "connection attempt was", "connection attempts were")) dropped by full queues in \(span), \(again) of \(sent) segments were sent again."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        var parts: [String] = []
        if drops >= limits.drops {
            let queue = sockets.longest.map { "; the longest accept queue, of port \($0.port), holds \($0.waiting)" } ?? ""
            parts.append(
                "\(Quantity.count(Int(clamping: drops), "connection attempt was", "connection attempts were")) dropped by full queues in \(span)\(queue)"
            )
        }
        if isLossy { parts.append("\(again) of \(sent) segments (\(Quantity.percent(percent))) were sent again in \(span)") }
        return .found(
            Finding(.warning, parts.joined(separator: "; ") + ".", evidence: evidence, hint: hint(hasDrops: drops >= limits.drops)))
    }

    private static func hint(hasDrops: Bool) -> String {
        hasDrops
            ? """
            A server accepts too slowly or has too short a queue: ss -ltn shows queues (Recv-Q) beside their limits (Send-Q). Look at the server's \
            load first, then raise its backlog and net.core.somaxconn.
            """
            : """
            Packets are lost on the way: networkInterfaces and softnet look at this node, ss -ti at single connections; if one peer alone is slow it is \
            beyond this node.
            """
    }

    private struct Sockets {
        var longest: TCPSockets.Listener?
        var evidence: [Finding.Evidence]
    }

    /// Listening sockets by their accept queues, and connections that their programs do not close.
    private static func sockets(_ files: HostFiles) throws(BuiltInFault) -> Sockets {
        let sockets = try TCPSockets(files)
        let closeWait = sockets.states[TCPSockets.closeWait] ?? 0
        let queues = sockets.listeners.filter { $0.waiting > 0 }.sorted { ($1.waiting, $0.port) < ($0.waiting, $1.port) }
        let evidence = queues.prefix(queuesShown).map { Finding.Evidence("accept queue of port \($0.port)", $0.waiting) }
        let use = try files.readable("/proc/net/sockstat", bytesMax: 64 * 1024).map { SocketUse($0) }
        let used = [("orphan", "orphaned sockets"), ("tw", "sockets in time wait"), ("mem", "pages of socket buffers")].compactMap {
            key, name in
            use?("TCP", key).map { Finding.Evidence(name, $0) }
        }
        return Sockets(
            longest: queues.first, evidence: evidence + [Finding.Evidence("connections that wait for close", closeWait)] + used)
    }
}
