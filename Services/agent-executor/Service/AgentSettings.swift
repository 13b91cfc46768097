import Model
import Redaction
import RegularExpressions
import ServiceKit

#if canImport(Glibc)
    import Glibc
#endif

/// What the agent-executor can be told, beside the common settings.
public enum AgentSettings {
    public static let nodeName = Setting<String?>(
        "node-name", default: .some(nil), placeholder: "NAME", help: "the node that this agent is; the machine's host name unless given",
        validate: { $0.flatMap(nodeNameFault) })
    public static let aliases = Setting<[String]>(
        "alias", default: [], placeholder: "NAME,…", help: "further names by which targets may call this node")
    public static let advertiseAddress = Setting<HTTPURL?>(
        "advertise-address", default: .some(nil), help: "base URL at which the scheduler reaches this agent; its own address unless given")
    public static let scheduler = Setting<HTTPURL>(
        "scheduler-url", default: HTTPURL("http://127.0.0.1:8082"), help: "base URL of the scheduler")
    public static let jobsMax = Setting<Int>("jobs-max", default: 16, in: 1...1000, help: "jobs that run at once")
    public static let queuedJobsMax = Setting<Int>(
        "queued-jobs-max", default: 256, in: 1...100_000, help: "accepted jobs that may wait; past it the answer is 503 with Retry-After")
    public static let storageRoots = Setting<[String]>(
        "storage-roots", default: [], placeholder: "DIR,…",
        help: "folders below which an operation's storage.hostPath may lie; none allows none",
        validate: { roots in
            roots.first { !$0.hasPrefix("/") || $0.split(separator: "/").contains("..") }.map { "\"\($0)\" is no absolute path" }
        })
    public static let evidenceStepMax = Setting<ByteCount>(
        "evidence-step-max", default: .mebibytes(64), help: "bytes of one step's output that are kept on disk; the rest is counted")
    public static let evidenceAge = Setting<Duration>(
        "evidence-max-age", default: .seconds(240 * 3600), help: "how long the output of a finished job is kept")
    public static let evidenceBytesMax = Setting<ByteCount>(
        "evidence-bytes-max", default: .mebibytes(4096), help: "bytes of finished jobs' output that are kept; past it the oldest go")
    public static let finishedJobsMax = Setting<Int>(
        "finished-jobs-max", default: 20_000, in: 1...1_000_000,
        help: "finished jobs that are remembered with their output; past it the oldest go")
    public static let redactPatterns = Setting<PatternList>(
        "redact-pattern", default: PatternList(patterns: []), placeholder: "PATTERN",
        help:
            "RE2 pattern of a further kind of secret: its groups, or all of its match, are replaced by \(Redactor.mark); may be repeated",
        validate: { list in
            do throws(PatternError) {
                _ = try Redactor(patterns: list.patterns)
                return nil
            } catch {
                return error.message
            }
        })
    public static let reportBytesMax = Setting<ByteCount>(
        "report-bytes-max", default: .kibibytes(1024), help: "largest report to the scheduler; past it previews and results are left out",
        validate: { $0.bytes >= 64 * 1024 ? nil : "has to be at least 64KiB" })

    public static let all: [SettingDefinition] = [
        nodeName.definition, aliases.definition, advertiseAddress.definition, scheduler.definition, jobsMax.definition,
        queuedJobsMax.definition, storageRoots.definition, evidenceStepMax.definition, evidenceAge.definition, evidenceBytesMax.definition,
        finishedJobsMax.definition, redactPatterns.definition, reportBytesMax.definition,
    ]

    static func nodeNameFault(_ name: String) -> String? {
        let isName =
            !name.isEmpty && name.utf8.count <= 253
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            }
        return isName ? nil : "\"\(name)\" is no node name: lower-case letters, digits, '-' and '.', at most 253 bytes"
    }
}

/// Patterns, each a text of its own: unlike other lists they may hold commas.
public struct PatternList: SettingValue, Hashable {
    public var patterns: [String]

    public static var placeholder: String { "PATTERN" }
    public static var isList: Bool { true }
    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> PatternList { PatternList(patterns: texts) }
    public var settingText: String { patterns.joined(separator: " ") }
}

/// The settings of one agent, resolved.
struct AgentIdentity: Sendable {
    let node: NodeName
    let aliases: [String]

    init(_ configuration: Configuration) throws(ConfigurationFaults) {
        let host = Self.hostName
        let name = configuration[AgentSettings.nodeName] ?? host.lowercased()
        if let fault = AgentSettings.nodeNameFault(name) {
            throw ConfigurationFaults([
                ConfigurationFault(configuration.origin(of: AgentSettings.nodeName), "\(fault); give --node-name")
            ])
        }
        node = NodeName(name)
        var aliases = configuration[AgentSettings.aliases]
        // On one machine with several agents the host name belongs to the one that is called so.
        if configuration[AgentSettings.nodeName] == nil, host != name { aliases.append(host) }
        self.aliases = aliases.filter { $0 != name }
    }

    private static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
