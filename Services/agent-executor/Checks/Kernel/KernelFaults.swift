import AgentOperations
import NodeFacts

/// Faults that the kernel has logged.
enum KernelFaults {
    private static let crashesMin = Parameter.integer(
        "crashesMin", 1...1_000_000, default: 5, "Crashes of programs (segmentation faults) from which on they are reported.")

    private static let areaWords = KernelFault.Area.allCases.map(\.rawValue).joined(separator: ", ")
    private static let areas = Parameter.optional(
        "areas", TextRule("of \(areaWords), separated by commas") { areaNames($0) != nil },
        "What faults may be about, separated by commas: \(areaWords); without it, any of them.")

    private static func areaNames(_ text: String) -> Set<KernelFault.Area>? {
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map { name in
            KernelFault.Area(rawValue: String(name.drop { $0 == " " }))
        }
        return names.contains(nil) ? nil : Set(names.compactMap { $0 })
    }

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "kernelLog",
            "Looks through the kernel's log for hung tasks, oopses, lockups, I/O and file system errors, crashes and the like.",
            succeedsWhen: "the kernel logged a fault in the last sinceSeconds; crashes of programs count from crashesMin on",
            parameters: [KernelLog.sinceSeconds.definition, areas.definition, crashesMin.definition],
            privileges: ["read access to /dev/kmsg"])
    ) { context, host throws(BuiltInFault) in
        let since = context[KernelLog.sinceSeconds]
        let wanted = Wanted(
            areas: context[areas].flatMap(areaNames) ?? Set(KernelFault.Area.allCases), crashesMin: context[crashesMin])
        return judge(try await KernelLog.read(host, sinceSeconds: since), wanted, sinceSeconds: since)
    }

    /// Faults after which something is broken.
    static let critical: Set<KernelFault> = [
        .panic, .oops, .hardLockup, .softLockup, .arrayDiskFailure, .inputOutputError, .fileSystemError, .readOnlyRemount, .machineCheck,
        .fileLimit, .conntrackFull,
    ]

    private struct Wanted {
        var areas: Set<KernelFault.Area>
        var crashesMin: Int
    }

    /// The first message of a kind often tells the cause, the last one how recent it is.
    private struct Seen {
        var count = 0
        var first: KernelMessage
        var last: KernelMessage
    }

    private static func judge(_ log: KernelLog, _ wanted: Wanted, sinceSeconds: Double) -> BuiltInOutcome {
        var seen: [KernelFault: Seen] = [:]
        for message in log.messages {
            guard let fault = KernelFault(message.text), wanted.areas.contains(fault.area) else { continue }
            seen[fault, default: Seen(first: message, last: message)].count += 1
            seen[fault]?.last = message
        }
        let order = KernelFault.allCases.filter(isCritical) + KernelFault.allCases.filter { !isCritical($0) }
        let sorted = order.compactMap { fault in seen[fault].map { (key: fault, value: $0) } }
        let evidence = sorted.flatMap { fault, seen in
            [Finding.Evidence(fault.words, seen.count)]
                + (seen.count > 1 ? [("first", seen.first), ("last", seen.last)] : [("last", seen.last)]).map { which, message in
                    Finding.Evidence(
                        "\(which) \(fault.words), \(Quantity.duration(log.age(message.sinceBootMicroseconds))) ago",
                        ProcessScan.printable(message.text))
                }
        }
        let faults = sorted.filter { $0.key != .segmentationFault || $0.value.count >= wanted.crashesMin }
        let span = Quantity.duration(min(sinceSeconds, log.reachSeconds))
        guard let first = faults.first else {
            let kind = wanted.areas.count < KernelFault.Area.allCases.count ? " of \(names(wanted.areas))" : ""
            let summary = "\(Quantity.count(log.messages.count, "message")) of the kernel in the last \(span), none of them a fault\(kind)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let counts = faults.prefix(5).map { "\($0.value.count) × \($0.key.words)" }.joined(separator: ", ")
        return .found(
            Finding(
                isCritical(first.key) ? .critical : .warning,
                "The kernel logged in the last \(span): \(counts). \(ProcessScan.printable(first.value.first.text))", evidence: evidence,
                hint: hint(first.key)))
    }

    private static func names(_ areas: Set<KernelFault.Area>) -> String { areas.map(\.rawValue).sorted().joined(separator: " or ") }

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
