import AgentOperations
import JSONCoding
import Model
import NodeFacts

/// All processes of this node.
struct ProcessCollector: ProcessorOperation {
    static let listKey = "collector.system.process.list"
    private static let processesMax = 50_000
    private static let argumentsMax = 64
    private static let commandBytesMax = 2048
    private static let ticksPerSecond = 100.0
    private static let pageBytes: UInt64 = 4096

    static let declaration = BuiltInDeclaration(
        "processCollector", "Lists the processes of this node.",
        results: [
            .init(
                listKey,
                .array(
                    "The processes, by number.",
                    of: .object(
                        "One process.",
                        [
                            .required("pid", .integer("Its number.")), .required("ppid", .integer("Its parent's number.")),
                            .required("tgid", .integer("Its thread group, which is its number.")),
                            .required(
                                "command", .array("Its arguments; none of a kernel thread.", of: .string("One.", max: commandBytesMax))),
                            .required("name", .string("The name that it gives itself.")),
                            .required("status", .string("R, S, D, Z, T, t, I or X, as in proc_pid_stat(5).")),
                            .required("createTime", .time("When it was started.")),
                            .required("startTicks", .integer("The same in clock ticks after boot: with the number it names one process.")),
                            .required("cpuPercent", Schema(.number(0...1e6), "Of one CPU, on average since it was started.")),
                            .required("nice", .integer("Its nice value.", -20...19)),
                            .required(
                                "memoryInfo",
                                .object(
                                    "Its memory in bytes.",
                                    [
                                        .required("rss", .integer("Resident.", 0...Int64.max)),
                                        .required("vms", .integer("Mapped.", 0...Int64.max)),
                                    ])),
                        ]), max: processesMax))
        ])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let uptime = host.clock.uptimeSeconds()
        let boot = host.clock.now().adding(seconds: -uptime)
        let processes = try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                var processes: [JSON] = []
                for pid in try files.processIDs().prefix(Self.processesMax) {
                    if let process = try Self.process(pid, files, uptime: uptime, boot: boot) { processes.append(process) }
                }
                return processes
            } catch {
                throw error.fault
            }
        }
        return .done([.init(Self.listKey, .json(.array(processes)))])
    }

    /// Nil for one that has gone meanwhile.
    private static func process(_ pid: Int32, _ files: HostFiles, uptime: Double, boot: Timestamp) throws(HostFiles.Problem) -> JSON? {
        do throws(HostFiles.Problem) {
            guard let stat = ProcessStat(try files.read("/proc/\(pid)/stat", bytesMax: 4096)) else { return nil }
            let command = try files.read("/proc/\(pid)/cmdline", bytesMax: commandBytesMax)
            let started = Double(stat.startTicks) / ticksPerSecond
            let percent = Double(stat.cpuTicks) / ticksPerSecond / max(uptime - started, 0.01) * 100
            return [
                "pid": .integer(Int64(pid)), "ppid": .integer(Int64(stat.parent)), "tgid": .integer(Int64(pid)),
                "command": .array(arguments(command)), "name": .string(stat.name), "status": .string(stat.state.letter),
                "createTime": .string("\(boot.adding(seconds: started))"), "startTicks": .integer(Int64(clamping: stat.startTicks)),
                "cpuPercent": .number((percent * 100).rounded() / 100), "nice": .integer(stat.nice),
                "memoryInfo": [
                    "rss": .integer(Int64(clamping: stat.residentPages.saturatingMultiply(pageBytes))),
                    "vms": .integer(Int64(clamping: stat.virtualBytes)),
                ],
            ]
        } catch {
            guard case .absent = error else { throw error }
            return nil
        }
    }

    private static func arguments(_ bytes: [UInt8]) -> [JSON] {
        bytes.split(separator: 0, maxSplits: argumentsMax, omittingEmptySubsequences: false).dropLast(bytes.last == 0 ? 1 : 0)
            .prefix(argumentsMax).map { .string(String(decoding: $0, as: UTF8.self)) }
    }
}
