import AgentOperations
import NodeFacts

/// The processes of the machine at one moment.
struct ProcessScan: Sendable {
    /// Clock ticks a second, which Linux has fixed for what user space sees (USER_HZ).
    static let ticksPerSecond = 100.0
    static let pageBytes: UInt64 = 4096

    /// A name for a process that no other will have: a pid comes again.
    struct Key: Hashable {
        var pid: Int32
        var startTicks: UInt64
    }

    let processes: [ProcessStat]

    /// Processes that end while they are read are left out.
    init(_ files: HostFiles) throws(BuiltInFault) {
        processes = try files.eachProcess { (folder, pid) throws(HostFiles.Problem) in
            try folder.read("stat", of: pid) { ProcessStat($0, end: $1) }
        }
        if processes.isEmpty { throw Self.noneReadable }
    }

    static let noneReadable = BuiltInFault.unreadable(path: "/proc", reason: "no process in it can be read")

    static func stat(_ path: String, _ files: HostFiles) throws(BuiltInFault) -> ProcessStat? {
        try files.readable(path, bytesMax: 4096).flatMap { ProcessStat($0) }
    }

    /// Where a process runs, for people: its container, unit or control group; nil once it is gone.
    static func place(of pid: Int32, _ files: HostFiles) throws(BuiltInFault) -> String? {
        try files.readable("/proc/\(pid)/cgroup", bytesMax: 64 * 1024)
            .flatMap { CgroupMembership($0).mostSpecific }.flatMap { $0 == "/" ? nil : CgroupName.short($0) }
    }

    /// `nginx (pid 812, container 0123abcd0123)`.
    static func label(_ stat: ProcessStat, _ files: HostFiles) throws(BuiltInFault) -> String {
        let place = try place(of: stat.pid, files)
        return "\(printable(stat.name)) (pid \(stat.pid)\(place.map { ", \($0)" } ?? ""))"
    }

    /// The same of a process of which its number is known; `pid 812` once it is gone.
    static func label(of pid: Int32, _ files: HostFiles) throws(BuiltInFault) -> String {
        try stat("/proc/\(pid)/stat", files).map { (stat) throws(BuiltInFault) in try label(stat, files) } ?? "pid \(pid)"
    }

    /// A name that a process gave itself, without what a terminal would obey.
    static func printable(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? "?" : $0 }))
    }
}

extension ProcessStat {
    var key: ProcessScan.Key { ProcessScan.Key(pid: pid, startTicks: startTicks) }
    var residentBytes: UInt64 { residentPages.saturatingMultiply(ProcessScan.pageBytes) }
}
