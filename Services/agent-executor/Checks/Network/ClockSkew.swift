import AgentOperations
import CLinux
import Glibc
import NodeFacts

/// Whether the clock is kept, and how far it is off.
enum ClockSkew {
    private static let offsetSeconds = Parameter.seconds(
        "offsetSeconds", 0.0001...3600, default: 0.05, "How far the clock may be off, fast or slow.")
    private static let errorSeconds = Parameter.seconds(
        "errorSeconds", 0.001...3600, default: 16, "The kernel's bound of the clock's error, from which on it is not kept.")

    private static let chronyc = BuiltInDeclaration.Tool("chronyc", package: "chrony")
    private static let timedatectl = BuiltInDeclaration.Tool("timedatectl", package: "systemd")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "clockSync", "Tells whether the clock is synchronized and how far it is off.",
            succeedsWhen: "the clock is not synchronized, its error may be errorSeconds, or it is off by offsetSeconds",
            parameters: [offsetSeconds.definition, errorSeconds.definition])
    ) { context, host throws(BuiltInFault) in
        let account = try await account(host)
        return judge(account, offset: context[offsetSeconds], error: context[errorSeconds])
    }

    private struct Account: Sendable {
        /// Who tells it.
        var sources: [String] = []
        var isSynchronized: Bool?
        var offsetSeconds: Double?
        var errorSeconds: Double?
        var server: String?
    }

    private static let toolSeconds = 3.0

    /// From chrony where it runs, from the kernel on the machine itself, else from systemd.
    private static func account(_ host: Host) async throws(BuiltInFault) -> Account {
        var account = Account()
        if let clock = try await ask(chronyc, ["-c", "tracking"], host).flatMap({ ClockSynchronization(chronyTracking: $0) }) {
            account.sources.append("chrony")
            account.isSynchronized = clock.isSynchronized
            account.offsetSeconds = clock.offsetSeconds
            account.server = clock.source
        }
        // The kernel has one clock: what it says is of this machine, not of a recorded one.
        var state = clinux_clock()
        if host.files.root == "/", clinux_clock_state(&state) == 0 {
            account.sources.append("the kernel")
            account.isSynchronized = account.isSynchronized ?? (state.is_synchronized != 0)
            account.offsetSeconds = account.offsetSeconds ?? Double(state.offset_nanoseconds) / 1e9
            account.errorSeconds = Double(state.error_max_microseconds) / 1e6
        }
        if account.isSynchronized == nil,
            let clock = try await ask(timedatectl, ["show"], host).flatMap({ ClockSynchronization(timedatectl: $0) })
        {
            account.sources.append("systemd")
            account.isSynchronized = clock.isSynchronized
        }
        guard account.isSynchronized != nil else {
            throw .unavailable(
                "nobody on this node tells of its clock: neither chronyc (package chrony) nor timedatectl (package systemd) answers")
        }
        return account
    }

    /// What a tool says; nil where there is none, or it has nobody to ask.
    private static func ask(_ tool: BuiltInDeclaration.Tool, _ arguments: [String], _ host: Host) async throws(BuiltInFault) -> [UInt8]? {
        do throws(BuiltInFault) {
            let output = try await host.tools.run(tool, arguments, seconds: toolSeconds, outputBytesMax: 64 * 1024)
            return output.status == 0 ? output.standardOutput : nil
        } catch .cancelled {
            throw .cancelled
        } catch {
            return nil
        }
    }

    private static func judge(_ account: Account, offset: Double, error: Double) -> BuiltInOutcome {
        var evidence = [Finding.Evidence("told by", account.sources.joined(separator: ", "))]
        if let isSynchronized = account.isSynchronized { evidence.append(Finding.Evidence("synchronized", isSynchronized ? "yes" : "no")) }
        if let seconds = account.offsetSeconds { evidence.append(Finding.Evidence("offset", seconds, unit: "seconds")) }
        if let seconds = account.errorSeconds { evidence.append(Finding.Evidence("error at most", seconds, unit: "seconds")) }
        if let server = account.server { evidence.append(Finding.Evidence("source", ProcessScan.printable(server))) }
        let isOff = abs(account.offsetSeconds ?? 0) >= offset
        let isLoose = (account.errorSeconds ?? 0) >= error
        let off = account.offsetSeconds.map { ", it is off by \(Quantity.duration(abs($0)))" } ?? ""
        guard account.isSynchronized == false || isOff || isLoose else {
            return .ruledOut(
                "The clock is synchronized\(off).", finding: Finding(.info, "The clock is synchronized\(off).", evidence: evidence))
        }
        let sentence: String
        if account.isSynchronized == false {
            let bound = account.errorSeconds.map { "; its error may be \(Quantity.duration($0))" } ?? ""
            sentence = "The clock is not synchronized\(isOff ? off : "")\(bound)."
        } else if isOff {
            sentence = "The clock is off by \(Quantity.duration(abs(account.offsetSeconds ?? 0)))."
        } else {
            sentence = "The clock's error may be \(Quantity.duration(account.errorSeconds ?? 0)), though it counts as synchronized."
        }
        return .found(
            Finding(
                isOff ? .critical : .warning, sentence, evidence: evidence,
                hint: """
                    Certificates, leases and logs depend on it. Look at the service that keeps it: chronyc sources -v, or systemctl status systemd-timesyncd, \
                    and whether UDP port 123 is let through.
                    """))
    }
}
