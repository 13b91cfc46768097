import AgentOperations
import NodeFacts

/// Faults that the kernel has logged.
enum KernelFaults {
    private static let crashesMin = Parameter.integer(
        "crashesMin", 1...1_000_000, default: 5, "Crashes of programs (segmentation faults) from which on they are reported.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "kernelLog",
            "Looks through the kernel's log for hung tasks, oopses, lockups, I/O and file system errors, crashes and the like.",
            succeedsWhen: "the kernel logged a fault in the last sinceSeconds; crashes of programs count from crashesMin on",
            parameters: [KernelLog.sinceSeconds.definition, crashesMin.definition], privileges: ["read access to /dev/kmsg"])
    ) { context, host throws(BuiltInFault) in
        let since = context[KernelLog.sinceSeconds]
        let crashes = context[crashesMin]
        return judge(try await KernelLog.read(host, sinceSeconds: since), sinceSeconds: since, crashesMin: crashes)
    }

    /// Faults after which something is broken.
    static let critical: Set<KernelFault> = [
        .panic, .oops, .hardLockup, .softLockup, .arrayDiskFailure, .inputOutputError, .fileSystemError, .readOnlyRemount, .machineCheck,
        .fileLimit, .conntrackFull,
    ]

    private struct Seen {
        var count = 0
        var last: KernelMessage
    }

    private static func judge(_ log: KernelLog, sinceSeconds: Double, crashesMin: Int) -> BuiltInOutcome {
        var seen: [KernelFault: Seen] = [:]
        for message in log.messages {
            guard let fault = KernelFault(message.text) else { continue }
            seen[fault, default: Seen(last: message)].count += 1
            seen[fault]?.last = message
        }
        let rank = Dictionary(KernelFault.allCases.enumerated().map { ($1, $0) }) { first, _ in first }
        let sorted = seen.sorted { rank[$0.key] ?? 0 < rank[$1.key] ?? 0 }
        let evidence = sorted.flatMap { fault, seen in
            [
                Finding.Evidence(fault.words, seen.count),
                Finding.Evidence(
                    "last \(fault.words), \(Quantity.duration(log.age(seen.last.sinceBootMicroseconds))) ago",
                    ProcessScan.printable(seen.last.text)),
            ]
        }
        let faults = sorted.filter { $0.key != .segmentationFault || $0.value.count >= crashesMin }
        let span = Quantity.duration(min(sinceSeconds, log.reachSeconds))
        guard let first = faults.min(by: { isCritical($0.key) && !isCritical($1.key) }) else {
            let summary = "\(Quantity.count(log.messages.count, "message")) of the kernel in the last \(span), none of them a fault."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let counts = faults.prefix(5).map { "\($0.value.count) × \($0.key.words)" }.joined(separator: ", ")
        return .found(
            Finding(
                isCritical(first.key) ? .critical : .warning,
                "The kernel logged in the last \(span): \(counts). \(ProcessScan.printable(first.value.last.text))", evidence: evidence,
                hint: hint(first.key)))
    }

    private static func isCritical(_ fault: KernelFault) -> Bool { critical.contains(fault) }

    private static func hint(_ fault: KernelFault) -> String {
        switch fault {
        case .panic, .oops, .hardLockup, .softLockup, .rcuStall, .warning:
            "A fault of the kernel or of the hardware under it: keep dmesg, drain the node and restart it; look for an update of the kernel."
        case .hungTask: "uninterruptibleTasks shows who hangs now, and where in the kernel."
        case .outOfMemory, .allocationFailure: "oomKills and memoryPressure tell whose memory it was."
        case .arrayDiskFailure:
            "An array goes on without one of its disks: cat /proc/mdstat and mdadm --detail tell which; replace it before another one fails."
        case .inputOutputError, .deviceReset, .fileSystemError, .readOnlyRemount:
            "A disk or the way to it fails: readOnlyMounts tells which file systems suffer, smartctl -a what the disk says of itself. Drain the node first."
        case .machineCheck, .memoryError, .thermalThrottling: "The hardware reports errors: hardwareErrors counts them by memory module."
        case .networkDeviceHang, .linkDown: "networkInterfaces tells which interfaces have no carrier or count errors."
        case .conntrackFull: "conntrack tells how full the table is."
        case .neighbourTableFull: "Raise net.ipv4.neigh.default.gc_thresh1 to 3: the node talks to more neighbours than they allow."
        case .synFlood: "tcpHealth tells whose accept queue is full: more likely a slow server than an attack."
        case .deviceReferenceLeak: "A container's network device can't be removed: known of old kernels, an update and a restart help."
        case .fileLimit: "fileDescriptors tells who has the files open."
        case .pidLimit: "pidLimits tells which group has too many tasks."
        case .segmentationFault: "Programs crash: coredumpctl list, and coreFileProfiler for a running one."
        }
    }
}
