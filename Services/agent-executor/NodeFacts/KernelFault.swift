/// A kind of fault that the kernel logs, and the words by which it does.
package enum KernelFault: String, Sendable, CaseIterable {
    case panic, oops, hardLockup, softLockup, rcuStall, hungTask
    case outOfMemory, allocationFailure
    case arrayDiskFailure, inputOutputError, deviceReset, fileSystemError, readOnlyRemount
    case machineCheck, memoryError, thermalThrottling
    case networkDeviceHang, linkDown, conntrackFull, neighbourTableFull, synFlood, deviceReferenceLeak
    case fileLimit, pidLimit
    case segmentationFault, warning

    /// What a fault is about.
    package enum Area: String, Sendable, CaseIterable {
        case kernel, memory, disk, hardware, network, limits, programs
    }

    package var area: Area {
        switch self {
        case .panic, .oops, .hardLockup, .softLockup, .rcuStall, .hungTask, .warning: .kernel
        case .outOfMemory, .allocationFailure: .memory
        case .arrayDiskFailure, .inputOutputError, .deviceReset, .fileSystemError, .readOnlyRemount: .disk
        case .machineCheck, .memoryError, .thermalThrottling: .hardware
        case .networkDeviceHang, .linkDown, .conntrackFull, .neighbourTableFull, .synFlood, .deviceReferenceLeak: .network
        case .fileLimit, .pidLimit: .limits
        case .segmentationFault: .programs
        }
    }

    /// In words, for one or many.
    package var words: String {
        switch self {
        case .panic: "kernel panic"
        case .oops: "kernel oops"
        case .hardLockup: "hard lockup"
        case .softLockup: "soft lockup"
        case .rcuStall: "RCU stall"
        case .hungTask: "hung task"
        case .outOfMemory: "out-of-memory kill"
        case .allocationFailure: "page allocation failure"
        case .arrayDiskFailure: "failed disk of a RAID array"
        case .inputOutputError: "I/O error"
        case .deviceReset: "storage device reset or timeout"
        case .fileSystemError: "file system error"
        case .readOnlyRemount: "remount read-only"
        case .machineCheck: "machine check"
        case .memoryError: "memory error"
        case .thermalThrottling: "thermal throttling"
        case .networkDeviceHang: "network device transmit hang"
        case .linkDown: "link down"
        case .conntrackFull: "conntrack table full"
        case .neighbourTableFull: "neighbour table full"
        case .synFlood: "SYN flood"
        case .deviceReferenceLeak: "network device that is not released"
        case .fileLimit: "limit of open files reached"
        case .pidLimit: "fork rejected by a pid limit"
        case .segmentationFault: "crash of a program"
        case .warning: "kernel warning"
        }
    }

    /// What a message tells, nil for most. The first kind that matches holds: words of a graver one stand higher.
    package init?(_ text: String) {
        let found = text.utf8.withContiguousStorageIfAvailable { bytes in Self.words.first { $0.matches(bytes) }?.fault }
        var copy = text
        guard let fault = found ?? copy.withUTF8({ bytes in Self.words.first { $0.matches(bytes) }?.fault }) else { return nil }
        self = fault
    }

    private struct Phrase: Sendable {
        var fault: KernelFault
        /// All of them stand in the text, in this order.
        var parts: [StaticString]

        init(_ fault: KernelFault, _ parts: StaticString...) {
            self.fault = fault
            self.parts = parts
        }

        func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
            var from = 0
            for part in parts {
                guard let end = Phrase.end(of: part, in: text, from: from) else { return false }
                from = end
            }
            return true
        }

        private static func end(of part: StaticString, in text: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
            let count = part.utf8CodeUnitCount
            guard count > 0, text.count - from >= count else { return nil }
            let first = part.utf8Start[0]
            for start in from...(text.count - count) where text[start] == first {
                var index = 1
                while index < count, text[start + index] == part.utf8Start[index] { index += 1 }
                if index == count { return start + count }
            }
            return nil
        }
    }

    private static let words: [Phrase] = [
        Phrase(.panic, "Kernel panic"),
        Phrase(.segmentationFault, "traps: ", " ip:"), Phrase(.segmentationFault, "]: segfault at "),
        Phrase(.oops, "BUG: unable to handle"), Phrase(.oops, "kernel BUG at"), Phrase(.oops, "Oops: "),
        Phrase(.oops, "kernel NULL pointer"),
        Phrase(.oops, "general protection fault"), Phrase(.oops, "Internal error: Oops"),
        Phrase(.hardLockup, "hard LOCKUP"), Phrase(.softLockup, "soft lockup - CPU#"),
        Phrase(.rcuStall, "self-detected stall on CPU"), Phrase(.rcuStall, "detected stalls on CPUs/tasks"),
        Phrase(.rcuStall, "rcu", "kthread starved"),
        Phrase(.hungTask, "task ", " blocked for more than "), Phrase(.hungTask, "BUG: workqueue lockup"),
        Phrase(.outOfMemory, "Killed process "), Phrase(.outOfMemory, "Kill process ", " or sacrifice child"),
        Phrase(.outOfMemory, "Out of memory and no killable processes"),
        Phrase(.allocationFailure, "page allocation failure"), Phrase(.allocationFailure, "TCP: out of memory"),
        Phrase(.readOnlyRemount, "emounting filesystem read-only"), Phrase(.readOnlyRemount, "forced readonly"),
        Phrase(.fileSystemError, "EXT4-fs error"), Phrase(.fileSystemError, "EXT3-fs error"), Phrase(.fileSystemError, "EXT2-fs error"),
        Phrase(.fileSystemError, "Aborting journal on device"), Phrase(.fileSystemError, "JBD2: Detected IO errors"),
        Phrase(.fileSystemError, "XFS (", "orruption"), Phrase(.fileSystemError, "XFS (", "nternal error"),
        Phrase(.fileSystemError, "XFS (", "metadata I/O error"), Phrase(.fileSystemError, "XFS (", "Shutting down filesystem"),
        Phrase(.fileSystemError, "BTRFS error"), Phrase(.fileSystemError, "BTRFS critical"), Phrase(.fileSystemError, "BTRFS: error"),
        Phrase(.arrayDiskFailure, "md/raid", "Disk failure on "),
        Phrase(.inputOutputError, "I/O error"), Phrase(.inputOutputError, "critical medium error"),
        Phrase(.inputOutputError, "critical target error"), Phrase(.inputOutputError, "lost async page write"),
        Phrase(.inputOutputError, "critical space allocation error"),
        Phrase(.deviceReset, "ata", "exception Emask"), Phrase(.deviceReset, "ata", "hard resetting link"),
        Phrase(.deviceReset, "nvme", "timeout"), Phrase(.deviceReset, "nvme", "controller is down"),
        Phrase(.deviceReset, "scsi", "timing out command"), Phrase(.deviceReset, "rejecting I/O to offline device"),
        Phrase(.memoryError, "EDAC ", " CE "), Phrase(.memoryError, "EDAC ", " UE "), Phrase(.memoryError, "Memory failure: 0x"),
        Phrase(.machineCheck, "[Hardware Error]"), Phrase(.machineCheck, "Machine check events logged"),
        Phrase(.machineCheck, "mce: CPU", "Machine Check"),
        Phrase(.thermalThrottling, "clock throttled"), Phrase(.thermalThrottling, "temperature above threshold"),
        Phrase(.networkDeviceHang, "NETDEV WATCHDOG"), Phrase(.conntrackFull, "conntrack: table full"),
        Phrase(.neighbourTableFull, "neighbor table overflow"), Phrase(.neighbourTableFull, "neighbour table overflow"),
        Phrase(.synFlood, "ossible SYN flooding"), Phrase(.deviceReferenceLeak, "unregister_netdevice: waiting for"),
        Phrase(.linkDown, "ink is Down"), Phrase(.linkDown, "ink is down"), Phrase(.linkDown, "ink becomes not ready"),
        Phrase(.fileLimit, "file-max limit"), Phrase(.pidLimit, "fork rejected by pids controller"),
        Phrase(.warning, "WARNING: CPU: "), Phrase(.warning, "WARNING: ", " at "),
    ]
}
