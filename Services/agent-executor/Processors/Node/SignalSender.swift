import AgentExecutorCore
import AgentOperations
import Glibc
import JSONCoding
import Model
import ProcessRunner

/// Sends signals to processes.
///
/// What `ProcessGuard` refuses is spared, and nothing is sent unless all targets are allowed.
struct SignalSender: ProcessorOperation {
    let guarded: ProcessGuard

    static let targetsMax = 16
    static let list = EarlierResult(
        "signalRecovery",
        "which processes get which signals, as JSON: [{\"pid\": 812, \"signal\": 15, \"startTicks\": 4711}], at most \(targetsMax)")
    static let pid = Parameter<Int?>.optional("pid", ProcessGuard.pids, "the process, where there is no \(list.key)")
    static let signal = Parameter<String>.text(
        "signal", TextRule("one of \(SignalNames.words)") { SignalNames.number($0) != nil }, default: "SIGTERM", "the signal for it")
    static let startTicks = Parameter<Int?>.optional(
        "startTicks", 0...Int.max,
        "when it was started, in clock ticks after boot, as processCollector tells: another process of that number is spared")
    static let resultKey = "recover.system.signal.result"

    static let declaration = BuiltInDeclaration(
        "signalSender", "Sends signals to processes of this node.", effect: .mutate,
        parameters: [list.parameter.definition, pid.definition, signal.definition, startTicks.definition],
        results: [.init(resultKey, .string("What was sent, in a sentence."))], privileges: ["root, or the processes' own user"])

    private struct Target: Sendable {
        var pid: Int32
        var signal: Int32
        var startTicks: UInt64?
        var field: String
    }

    func plan(_ context: BuiltInContext) -> String {
        guard context[Self.list.parameter] == nil, let pid = context[Self.pid] else { return "Would send the signals of \(Self.list.key)." }
        return "Would send \(SignalNames.name(SignalNames.number(context[Self.signal]) ?? SIGTERM)) to process \(pid)."
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        guard host.files.root == "/" else { throw .unavailable("a recorded machine has no processes to signal") }
        let targets = try await targets(context, host)
        let guarded = guarded
        let sent = try await host.read { (files) throws(BuiltInFault) -> [String] in
            var pinned: [(target: Target, process: PinnedProcess)] = []
            for target in targets {
                pinned.append((target, try guarded.pin(target.pid, field: target.field, startTicks: target.startTicks, files)))
            }
            var sent: [String] = []
            for (target, process) in pinned {
                let code = process.send(target.signal)
                guard code == 0 else {
                    let before = sent.isEmpty ? "" : "; sent before: \(sent.joined(separator: ", "))"
                    throw code == EPERM
                        ? .privilegeMissing(what: "signalling process \(target.pid)\(before)", needs: "the agent to run as root")
                        : .failed("process \(target.pid): \(String(cString: strerror(code)))\(before)")
                }
                sent.append("\(SignalNames.name(target.signal)) to process \(target.pid)")
            }
            return sent
        }
        return .done([.init(Self.resultKey, .text("Sent \(sent.joined(separator: ", "))."))])
    }

    private func targets(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> [Target] {
        guard let list = try await Self.list.json(context, host) else {
            guard let pid = context[Self.pid], let signal = SignalNames.number(context[Self.signal]) else {
                throw .parameter(Self.pid.definition.key, "is needed where there is no \(Self.list.key)")
            }
            let ticks = context[Self.startTicks].map { UInt64($0) }
            return [Target(pid: Int32(pid), signal: signal, startTicks: ticks, field: Self.pid.definition.key)]
        }
        guard let entries = list.arrayValue, (1...Self.targetsMax).contains(entries.count) else {
            throw .parameter(Self.list.key, "must be an array of 1 to \(Self.targetsMax) objects")
        }
        var targets: [Target] = []
        for (index, entry) in entries.enumerated() {
            let field = "\(Self.list.key)[\(index)]"
            guard let pid = entry["pid"]?.integerValue, ProcessGuard.pids.contains(Int(pid)) else {
                throw .parameter(
                    "\(field).pid", "must be an integer from \(ProcessGuard.pids.lowerBound) to \(ProcessGuard.pids.upperBound)")
            }
            let told = entry["signal"]?.integerValue.map { String($0) } ?? entry["signal"]?.stringValue
            guard let told, let signal = SignalNames.number(told) else {
                throw .parameter("\(field).signal", "must be one of \(SignalNames.words), or its number")
            }
            let ticks = try ticks(entry, field)
            targets.append(Target(pid: Int32(pid), signal: signal, startTicks: ticks, field: "\(field).pid"))
        }
        return targets
    }

    /// The guard against a number that another process has by now: what is no such number is refused, never passed over.
    private func ticks(_ entry: JSON, _ field: String) throws(BuiltInFault) -> UInt64? {
        if case .object(let members) = entry, let unknown = members.keys.sorted().first(where: { !Self.members.contains($0) }) {
            throw .parameter("\(field).\(Text.prefix(unknown, bytesMax: 63))", "is none of \(Self.members.joined(separator: ", "))")
        }
        guard let told = entry["startTicks"] else { return nil }
        let ticks: UInt64? =
            switch told {
            case .integer(let number): UInt64(exactly: number)
            case .string(let text): UInt64(text)
            default: nil
            }
        guard let ticks else { throw .parameter("\(field).startTicks", "must be an integer from 0, as processCollector tells it") }
        return ticks
    }

    private static let members = ["pid", "signal", "startTicks"]
}
