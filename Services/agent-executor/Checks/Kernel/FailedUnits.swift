import AgentOperations
import NodeFacts

/// Units of systemd that have failed, or that are restarted again and again.
enum FailedUnits {
    private static let unit = Parameter.optional("unit", .unitName, "The one unit to look at, such as nginx.service; without it, all.")
    private static let restartsMin = Parameter.integer(
        "restartsMin", 1...1_000_000, default: 5, "Restarts of a unit by systemd from which on it is reported as flapping.")

    private static let systemctl = BuiltInDeclaration.Tool("systemctl", package: "systemd")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "failedUnits", "Looks for units of systemd that have failed or that flap.",
            succeedsWhen: "a unit has failed, or systemd has restarted one restartsMin times",
            parameters: [unit.definition, restartsMin.definition], tools: [systemctl])
    ) { context, host throws(BuiltInFault) in
        let unit = context[unit]
        let output = try await host.tools.run(
            systemctl,
            [
                "show", "--no-pager", "--all",
                "--property=Id,Description,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainCode,StateChangeTimestampMonotonic",
                "--", unit ?? "*",
            ])
        let units = Properties.blocks(output.standardOutput).filter { $0["Id"] != nil }
        guard output.status == 0 || !units.isEmpty else { throw .unavailable("systemctl: \(output.lastLine)") }
        if let unit, units.allSatisfy({ $0["LoadState"] == "not-found" }) {
            throw .parameter("unit", "\"\(unit)\" is no unit of this node")
        }
        // Even a machine that does nothing has some; without a name it is no unit.
        guard units.contains(where: { $0["Id"]?.isEmpty == false }) else { throw .failed("systemctl named no unit") }
        return judge(units.map(Unit.init), restartsMin: context[restartsMin], uptimeSeconds: host.clock.uptimeSeconds())
    }

    private struct Unit {
        var name: String
        var state: String
        var subState: String
        var result: String
        var status: String
        var restarts: Int
        var changedAtSeconds: Double?

        init(_ properties: [String: String]) {
            name = ProcessScan.printable(properties["Id"] ?? "")
            state = properties["ActiveState"] ?? ""
            subState = properties["SubState"] ?? ""
            result = properties["Result"] ?? ""
            status = properties["ExecMainStatus"] ?? "0"
            restarts = properties["NRestarts"].flatMap { Int($0) } ?? 0
            changedAtSeconds = properties["StateChangeTimestampMonotonic"].flatMap { Double($0) }.map { $0 / 1_000_000 }
        }

        var isFailed: Bool { state == "failed" }
    }

    private static let shown = 20

    private static func judge(_ units: [Unit], restartsMin: Int, uptimeSeconds: Double) -> BuiltInOutcome {
        let failed = units.filter(\.isFailed)
        let flapping = units.filter { !$0.isFailed && $0.restarts >= restartsMin }.sorted { $0.restarts > $1.restarts }
        let evidence = (failed + flapping).prefix(shown).map { unit in
            let age = unit.changedAtSeconds.map { ", for \(Quantity.duration(max(0, uptimeSeconds - $0)))" } ?? ""
            return Finding.Evidence(
                unit.name,
                "\(unit.state) (\(unit.subState)), result \(unit.result), exit status \(unit.status), \(unit.restarts) restarts\(age)")
        }
        guard let first = failed.first ?? flapping.first else {
            return .ruledOut("\(Quantity.count(units.count, "unit")) of systemd, none failed, none restarted \(restartsMin) times.")
        }
        var parts: [String] = []
        if !failed.isEmpty {
            parts.append(
                "\(Quantity.count(failed.count, "unit has", "units have")) failed: \(failed.prefix(5).map(\.name).joined(separator: ", "))")
        }
        if let most = flapping.first {
            parts.append("\(Quantity.count(flapping.count, "unit flaps", "units flap")): \(most.name) was restarted \(most.restarts) times")
        }
        return .found(
            Finding(
                .warning, parts.joined(separator: "; ") + ".", evidence: evidence,
                hint:
                    "journalctl -u \(first.name) -n 100 tells why. systemctl reset-failed clears the state of a unit that is no longer needed."
            ))
    }
}
