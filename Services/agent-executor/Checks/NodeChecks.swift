public import AgentOperations

/// The checks of a node: each looks for one fault, succeeds when it is there, and says so in a finding.
public enum NodeChecks {
    public static let all: [BuiltIn] = [Approval.builtIn] + memory + processes + kernel + disk + network

    private static let memory = [
        OutOfMemoryKills.builtIn, ResourcePressure.memory, ResourcePressure.cpu, ResourcePressure.io, GroupMemory.builtIn,
        CPUThrottling.builtIn,
    ]

    private static let processes = [
        UninterruptibleTasks.builtIn, ZombieProcesses.builtIn, RunawayProcesses.builtIn, FileDescriptors.builtIn, PIDLimits.builtIn,
        DeletedOpenFiles.builtIn, HighLoad.builtIn,
    ]

    private static let kernel = [
        KernelFaults.builtIn, HardwareErrors.builtIn, ReadOnlyMounts.builtIn, BootHistory.builtIn, FailedUnits.builtIn,
    ]

    private static let disk = [FileSystemFill.space, FileSystemFill.inodes, DiskSaturation.builtIn]

    private static let network = [
        ConnectionTracking.builtIn, TCPHealth.builtIn, SoftnetDrops.builtIn, NetworkInterfaces.builtIn, ClockSkew.builtIn,
        DNSResolvers.builtIn, Reachability.builtIn,
    ]
}
