import Glibc

/// The resource limit by which descendants of a family's runs are known.
///
/// A process passes its limits on to all that it starts, whatever environment, session, folder or descriptors that has, and only root can
/// raise one again. RLIMIT_RTTIME is the one that nobody misses: microseconds of CPU time that a thread of a real-time policy may take without
/// a blocking call, of which a value past 2^61 allows 73,000 years.
struct FamilyLimit {
    let microseconds: UInt64

    /// A number of 61 bits that depends on the family alone; nil for none.
    init?(name: String, family: String) {
        guard !family.isEmpty else { return nil }
        // FNV-1a: of random identifiers, so that it need not withstand anybody.
        let hash = "\(name)=\(family)".utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        microseconds = hash >> 3 | 1 << 61
    }

    /// Whether this process may set it for a child: one that is under a lower limit can't, and is somebody's run itself or under a real limit.
    var canBeSet: Bool {
        var current = rlimit()
        return getrlimit(__rlimit_resource_t(__RLIMIT_RTTIME.rawValue), &current) == 0 && current.rlim_max >= microseconds
    }

    /// Whether a process is under this very limit.
    func isCarried(by pid: pid_t) -> Bool {
        guard let text = ProcFS.read("/proc/\(pid)/limits", bytesMax: 64 << 10) else { return false }
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: "Max realtime timeout".utf8) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            return words.count > 4 && words[4] == String(microseconds)
        }
        return false
    }
}
