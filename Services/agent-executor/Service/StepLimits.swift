import AgentExecutorCore
import Logging
import Model
import ProcessRunner
import ServiceKit

/// What executions may take where their operation does not say: by control groups where there are any, else by what setrlimit(2) offers.
struct StepLimits: Sendable {
    let memoryBytes: Int
    let cpuMillis: Int
    let processes: Int
    let groups: ControlGroupTree?
    /// What the scheduler is told of them.
    let support: StepLimitSupport

    init(_ configuration: Configuration, _ logger: Logger) throws(ConfigurationFaults) {
        memoryBytes = configuration[AgentSettings.stepMemoryMax].bytes
        cpuMillis = configuration[AgentSettings.stepCPUMax]
        processes = configuration[AgentSettings.stepProcessesMax]
        (groups, support) = try Self.groups(configuration, logger)
    }

    /// A root that was given has to be usable; without one, what there is is taken.
    private static func groups(
        _ configuration: Configuration, _ logger: Logger
    ) throws(ConfigurationFaults) -> (ControlGroupTree?, StepLimitSupport) {
        let given = configuration[AgentSettings.controlGroupRoot]
        if given == "none" { return (nil, StepLimitSupport(controllers: [], cause: "--cgroup-root is none")) }
        do throws(ControlGroupTree.Unavailable) {
            let groups = if let given { try ControlGroupTree(preparing: given) } else { try ControlGroupTree() }
            logger.info(
                "control groups hold the steps",
                metadata: ["group": "\(groups.path)", "controllers": "\(groups.controllers.sorted().joined(separator: " "))"])
            return (groups, StepLimitSupport(controllers: groups.controllers.sorted(), cause: groups.cause))
        } catch {
            if given != nil {
                throw ConfigurationFaults([
                    ConfigurationFault(configuration.origin(of: AgentSettings.controlGroupRoot), error.description)
                ])
            }
            logger.info("no control groups: memory and CPU of steps have no common limit", metadata: ["cause": "\(error)"])
            return (nil, StepLimitSupport(controllers: [], cause: error.description))
        }
    }

    /// Bounds a command.
    ///
    /// - Parameter name: of its control group; no other execution has it.
    func bound(_ command: inout ProcessCommand, by limits: ExecutionLimits?, name: String) {
        let controllers = groups?.controllers ?? []
        command.resourceLimits.cpuSeconds = limits?.cpuSeconds
        command.resourceLimits.fileSizeBytes = limits?.fileSizeBytes
        command.resourceLimits.openFiles = limits?.openFiles
        // A script's image on the disk helps nobody, and may be large.
        command.resourceLimits.coreBytes = 0
        if !controllers.contains("memory") { command.resourceLimits.addressSpaceBytes = limits?.memoryBytes }
        // Of a user that scripts alone run as; the agent's own has other processes too.
        if !controllers.contains("pids") {
            command.resourceLimits.processes = limits?.processes ?? (command.user == nil ? nil : processes)
        }
        if let groups { command.controlGroup = groups.group(name, settings(limits, controllers)) }
    }

    /// Which of the limits that an operation asks for is not held here.
    func remark(_ limits: ExecutionLimits?) -> String? {
        guard limits?.cpuMillis != nil, groups?.controllers.contains("cpu") != true else { return nil }
        return "its cpuMillis was not held: this agent has no control groups for that"
    }

    private func settings(_ limits: ExecutionLimits?, _ controllers: Set<String>) -> [ControlGroup.Setting] {
        var settings: [ControlGroup.Setting] = []
        if controllers.contains("memory") {
            settings.append(.init("memory.max", String(memory(limits))))
            settings.append(.init("memory.swap.max", "0", isOptional: true))
            // All or nothing: what is left of a pipeline tells no truth.
            settings.append(.init("memory.oom.group", "1", isOptional: true))
        }
        if controllers.contains("cpu") { settings.append(.init("cpu.max", "\((limits?.cpuMillis ?? cpuMillis) * 100) 100000")) }
        if controllers.contains("pids") { settings.append(.init("pids.max", String(limits?.processes ?? processes))) }
        return settings
    }

    private func memory(_ limits: ExecutionLimits?) -> Int { limits?.memoryBytes ?? memoryBytes }

    /// Says of a step that was killed for its memory what its limit was.
    func outOfMemory(_ limits: ExecutionLimits?) -> StepFault {
        StepFault(.outOfMemory, "out of memory: its limit is \(ByteCount(bytes: memory(limits)).settingText)")
    }
}
