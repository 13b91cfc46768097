public import AgentOperations

/// The checks of a node that the agent carries.
public enum NodeChecks {
    public static let all: [BuiltIn] = memory + processes + kernel + disk + network

    private static let memory = [
        OutOfMemoryKills.builtIn, ResourcePressure.memory, ResourcePressure.cpu, ResourcePressure.io, GroupMemory.builtIn,
        CPUThrottling.builtIn,
    ]

    private static let processes = [
        UninterruptibleTasks.builtIn, ZombieProcesses.builtIn, RunawayProcesses.builtIn, FileDescriptors.builtIn, PIDLimits.builtIn,
        DeletedOpenFiles.builtIn,
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
