import AgentOperations
import KubernetesConnection
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
        "alias", default: [], placeholder: "NAME,…",
        help: "further names by which targets may call this node, beside its host name and its addresses")
    public static let advertiseAddress = Setting<HTTPURL?>(
        "advertise-address", default: .some(nil), help: "base URL at which the scheduler reaches this agent; its own address unless given")
    public static let scheduler = Setting<HTTPURL>(
        "scheduler-url", default: HTTPURL("http://127.0.0.1:8082"), help: "base URL of the scheduler")
    public static let jobsMax = Setting<Int>("jobs-max", default: 16, in: 1...1000, help: "jobs that run at once")
    public static let queuedJobsMax = Setting<Int>(
        "queued-jobs-max", default: 256, in: 1...100_000, help: "accepted jobs that may wait; past it the answer is 503 with Retry-After")
    public static let runAsUser = Setting<String?>(
        "run-as-user", default: .some(nil), placeholder: "USER",
        help: "the user that scripts and functions run as where their operation names none, by name or number; nobody where the agent runs"
            + " as root, else the agent's own")
    public static let runDirectory = Setting<String?>(
        "run-directory", default: .some(nil), placeholder: "DIR",
        help: "folder below which executions get their own folders; where the agent runs as root, one that other users can pass through,"
            + " /var/lib/kubediag-run unless given; else in the data directory",
        validate: { path in
            path.flatMap { PathText.isAbsoluteAndNeverUp($0) ? nil : "\"\($0)\" is no absolute path" }
        })
    public static let controlGroupRoot = Setting<String?>(
        "cgroup-root", default: .some(nil), placeholder: "DIR",
        help: "cgroup version 2 below which each execution gets a group, for this agent alone and without processes; none uses none; the"
            + " agent's own where it is delegated, unless given",
        validate: { path in
            path.flatMap {
                $0 == "none" || PathText.isAbsoluteAndNeverUp($0) ? nil : "\"\($0)\" is no absolute path"
            }
        })
    public static let stepMemoryMax = Setting<ByteCount>(
        "step-memory-max", default: .mebibytes(1024),
        help: "memory of one execution whose operation does not say, where there are control groups",
        validate: { $0.bytes >= 16 << 20 ? nil : "has to be at least 16MiB" })
    public static let stepCPUMax = Setting<Int>(
        "step-cpu-max", default: 1000, in: 10...1_024_000, placeholder: "MILLIS",
        help: "thousandths of a CPU for one execution whose operation does not say, where there are control groups")
    public static let stepProcessesMax = Setting<Int>(
        "step-processes-max", default: 1024, in: 1...4_194_304,
        help: "processes and threads of one execution whose operation does not say; of the user where there are no control groups")
    public static let storageRoots = Setting<[String]>(
        "storage-roots", default: [], placeholder: "DIR,…",
        help: "folders below which an operation's storage.hostPath may lie; none allows none",
        validate: { roots in
            roots.first { !PathText.isAbsoluteAndNeverUp($0) }.map { "\"\($0)\" is no absolute path" }
        })
    public static let hostRoot = Setting<String>(
        "host-root", default: "/", placeholder: "DIR",
        help: "folder below which the node's /proc, /sys and /etc lie, for an agent in a container; built-in operations read them there",
        validate: { PathText.isAbsolute($0) ? nil : "\"\($0)\" is no absolute path" })
    public static let toolFolders = Setting<[String]>(
        "tool-folders", default: HostTools.standardFolders, placeholder: "DIR,…",
        help: "folders in which built-in operations look for the programs that they run, in this order",
        validate: { folders in folders.first { !PathText.isAbsolute($0) }.map { "\"\($0)\" is no absolute path" } })
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

    public static let all: [SettingDefinition] =
        [
            nodeName.definition, aliases.definition, advertiseAddress.definition, scheduler.definition, jobsMax.definition,
            queuedJobsMax.definition, runAsUser.definition, runDirectory.definition, controlGroupRoot.definition,
            stepMemoryMax.definition, stepCPUMax.definition, stepProcessesMax.definition, storageRoots.definition, hostRoot.definition,
            toolFolders.definition,
            evidenceStepMax.definition, evidenceAge.definition, evidenceBytesMax.definition, finishedJobsMax.definition,
            redactPatterns.definition, reportBytesMax.definition,
        ] + KubernetesSettings.all

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
    private static let aliasesMax = 64

    let node: NodeName
    /// Those that somebody named, and the host name.
    private let names: [String]

    /// All further names of the node as of now: an address may come or go between two registrations.
    var aliases: [String] {
        var aliases: [String] = []
        for name in names + NodeAddresses.current() where name != node.rawValue && !aliases.contains(name) { aliases.append(name) }
        return Array(aliases.prefix(Self.aliasesMax))
    }

    init(_ configuration: Configuration) throws(ConfigurationFaults) {
        let host = Self.hostName
        let name = configuration[AgentSettings.nodeName] ?? host.lowercased()
        if let fault = AgentSettings.nodeNameFault(name) {
            throw ConfigurationFaults([
                ConfigurationFault(configuration.origin(of: AgentSettings.nodeName), "\(fault); give --node-name")
            ])
        }
        node = NodeName(name)
        var names = configuration[AgentSettings.aliases]
        // Behind a proxy or in a container it is none of the machine's own; a loopback address is everybody's.
        if let host = configuration[AgentSettings.advertiseAddress]?.host, !NodeAddresses.isLoopback(host) { names.append(host) }
        // On one machine with several agents the host name belongs to the one that is called so.
        if configuration[AgentSettings.nodeName] == nil, host != name { names.append(host) }
        self.names = names
    }

    private static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
