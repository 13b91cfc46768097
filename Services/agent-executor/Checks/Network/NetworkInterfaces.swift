import AgentOperations
import NodeFacts

/// Errors, drops and the carrier of network interfaces.
enum NetworkInterfaces {
    private static let errorPercent = Parameter.percent(
        "errorPercent", default: 1, "Packets with errors, of those in that direction while watched, from which on an interface is reported."
    )
    private static let dropPercent = Parameter.percent(
        "dropPercent", default: 1, "Packets dropped, of those in that direction while watched, from which on an interface is reported.")
    private static let interface = Parameter.optional(
        "device", .word(bytesMax: 15), "The one interface to look at; without it, all but the loopback.")
    private static let sampleSeconds = Parameter.seconds("sampleSeconds", 0.1...60, default: 5, "How long the counters are watched.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "networkInterfaces", "Watches errors and drops of network interfaces, and whether they have a carrier.",
            succeedsWhen: """
                an interface had errorPercent errors or dropPercent drops while it was watched, lost its carrier, or is an enabled network card without \
                one
                """,
            parameters: [errorPercent.definition, dropPercent.definition, interface.definition, sampleSeconds.definition],
            timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let only = context[interface]
        let before = try await host.read { (files) throws(BuiltInFault) in try sample(only, files) }
        try await host.sleep(seconds: context[sampleSeconds])
        let now = try await host.read { (files) throws(BuiltInFault) in try sample(only, files) }
        let links = now.compactMap { name, link in before[name].map { Change(name: name, before: $0, now: link) } }.sorted {
            $0.name < $1.name
        }
        return judge(links, errors: context[errorPercent], drops: context[dropPercent], seconds: context[sampleSeconds])
    }

    private struct Link: Sendable {
        var counters: InterfaceCounters
        /// Nil where the interface is off, which has none to tell.
        var hasCarrier: Bool?
        var isEnabled: Bool
        var isCard: Bool
        var carrierChanges: UInt64
        var speed: UInt64?
        var duplex: String?
    }

    private struct Change {
        var name: String
        var before: Link
        var now: Link

        func percent(
            _ counter: (InterfaceCounters.Direction) -> UInt64, _ direction: KeyPath<InterfaceCounters, InterfaceCounters.Direction>
        )
            -> Double
        {
            let (then, now) = (before.counters[keyPath: direction], now.counters[keyPath: direction])
            let bad = counter(now).since(counter(then))
            return bad.percent(of: max(bad, now.packets.since(then.packets)))
        }

        var errors: Double { max(percent(\.errors, \.received), percent(\.errors, \.sent)) }
        var drops: Double { max(percent(\.drops, \.received), percent(\.drops, \.sent)) }
        var carrierChanges: UInt64 { now.carrierChanges.since(before.carrierChanges) }
        var isDown: Bool { now.isEnabled && now.isCard && now.hasCarrier == false }
    }

    private static let shown = 10
    private static let enabledFlag: UInt64 = 1

    private static func sample(_ only: String?, _ files: HostFiles) throws(BuiltInFault) -> [String: Link] {
        var links: [String: Link] = [:]
        for row in InterfaceCounters.rows(try files.needed("/proc/net/dev")) where only.map({ $0 == row.name }) ?? (row.name != "lo") {
            let folder = "/sys/class/net/\(row.name)"
            let flags = try files.readable("\(folder)/flags", bytesMax: 64).map { Fields($0).rest.dropFirst(2) }.flatMap {
                UInt64($0, radix: 16)
            }
            links[row.name] = Link(
                counters: row, hasCarrier: try files.parsedIfReadable("\(folder)/carrier", Number.only).map { $0 == 1 },
                isEnabled: (flags ?? enabledFlag) & enabledFlag != 0, isCard: try files.readableStatus("\(folder)/device") != nil,
                carrierChanges: try files.parsedIfReadable("\(folder)/carrier_changes", Number.only) ?? 0,
                speed: try files.parsedIfReadable("\(folder)/speed", Number.only),
                duplex: try files.readable("\(folder)/duplex", bytesMax: 64).map { Fields($0).rest })
        }
        if let only, links.isEmpty { throw .parameter("device", "\"\(only)\" is no interface of this node") }
        return links
    }

    private static func judge(_ links: [Change], errors: Double, drops: Double, seconds: Double) -> BuiltInOutcome {
        let faults = links.compactMap { link -> (link: Change, sentence: String)? in
            var parts: [String] = []
            if link.isDown { parts.append("has no carrier") }
            if link.carrierChanges > 0 { parts.append("changed its carrier \(Quantity.count(Int(clamping: link.carrierChanges), "time"))") }
            if link.errors > 0, link.errors >= errors { parts.append("had errors in \(Quantity.percent(link.errors)) of its packets") }
            if link.drops > 0, link.drops >= drops { parts.append("dropped \(Quantity.percent(link.drops)) of its packets") }
            return parts.isEmpty ? nil : (link, "\(link.name) \(parts.joined(separator: " and "))")
        }
        let evidence = (faults.map(\.link) + links.filter { link in !faults.contains { $0.link.name == link.name } }).prefix(shown)
            .flatMap(evidence)
        let span = Quantity.duration(seconds)
        guard !faults.isEmpty else {
            let summary =
                "\(Quantity.count(links.count, "network interface")) watched for \(span), no errors, drops or lost carriers to report."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let others = faults.count > 3 ? "; \(faults.count - 3) more" : ""
        return .found(
            Finding(
                faults.contains { $0.link.isDown } ? .critical : .warning,
                "Within \(span): \(faults.prefix(3).map(\.sentence).joined(separator: "; "))\(others).", evidence: evidence,
                hint: """
                    ethtool DEVICE tells of the link: a carrier that comes and goes is a cable, an optic or the port at the other end. ethtool -S DEVICE counts \
                    by cause. Errors come from cables, optics, ports or a wrong speed or duplex; drops from rings or queues that are too \
                    short (ethtool -g, softnet).
                    """))
    }

    private static func evidence(_ link: Change) -> [Finding.Evidence] {
        let (received, sent) = (link.now.counters.received, link.now.counters.sent)
        let state = link.now.hasCarrier.map { $0 ? "carrier" : "no carrier" } ?? "off"
        let speed = link.now.speed.map { $0 < 10_000_000 ? ", \($0) Mbit/s" : "" } ?? ""
        return [
            Finding.Evidence(link.name, "\(state)\(speed)\(link.now.duplex.map { ", \($0) duplex" } ?? "")"),
            Finding.Evidence("\(link.name) errors received and sent, ever", received.errors.saturatingAdd(sent.errors)),
            Finding.Evidence("\(link.name) drops received and sent, ever", received.drops.saturatingAdd(sent.drops)),
            Finding.Evidence("\(link.name) carrier changes, ever", link.now.carrierChanges),
        ]
    }
}
