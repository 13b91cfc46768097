import AgentOperations
import NodeFacts

/// The control groups of a controller: of cgroup v2, or of v1 where the machine has the controller there.
struct CgroupTree: Sendable {
    enum Version: Sendable { case one, two }

    static let groupsMax = 8192
    static let depthMax = 24

    let version: Version
    /// Where the tree is mounted.
    let root: String

    private static let mountPoint = "/sys/fs/cgroup"

    /// - Parameters:
    ///   - controller: `memory`, `cpu`, `pids`.
    ///   - Throws: `unavailable` where the machine has neither.
    init(_ controller: String, _ files: HostFiles) throws(BuiltInFault) {
        for root in Self.unifiedRoots {
            let controllers = try files.readable("\(root)/cgroup.controllers", bytesMax: 4096)
            guard let controllers else { continue }
            if String(decoding: controllers, as: UTF8.self).split(whereSeparator: \.isWhitespace).contains(controller[...]) {
                self.init(version: .two, root: root)
                return
            }
        }
        for name in [controller, "cpu,cpuacct"] where name.hasPrefix(controller) {
            guard try files.readableNames(in: "\(Self.mountPoint)/\(name)") != nil else { continue }
            self.init(version: .one, root: "\(Self.mountPoint)/\(name)")
            return
        }
        throw .unavailable("\(Self.mountPoint) has no \(controller) controller, of cgroup v2 or v1")
    }

    /// The tree of v2 for its pressure, which every group of it has; nil where there is none.
    static func unified(_ files: HostFiles) throws(BuiltInFault) -> CgroupTree? {
        for root in unifiedRoots where try files.readable("\(root)/cgroup.controllers", bytesMax: 4096) != nil {
            return CgroupTree(version: .two, root: root)
        }
        return nil
    }

    private init(version: Version, root: String) {
        self.version = version
        self.root = root
    }

    private static let unifiedRoots = [mountPoint, "\(mountPoint)/unified"]

    /// The paths of the groups below the root, relative to it, parents first; at most `groupsMax`.
    func groups(_ files: HostFiles) throws(BuiltInFault) -> [String] {
        var groups: [String] = []
        var open = [(path: "", depth: 0)]
        while let next = open.popLast(), groups.count < Self.groupsMax {
            guard let names = try files.readableNames(in: root + next.path) else { continue }
            if !next.path.isEmpty { groups.append(next.path) }
            guard next.depth < Self.depthMax else { continue }
            for name in names where !Self.isInterface(name) { open.append(("\(next.path)/\(name)", next.depth + 1)) }
        }
        return groups
    }

    func path(_ group: String, _ file: String) -> String { "\(root)\(group)/\(file)" }

    func counters(_ group: String, _ file: String, _ files: HostFiles) throws(BuiltInFault) -> CounterTable? {
        try files.readable(path(group, file), bytesMax: 64 * 1024).map { CounterTable($0) }
    }

    func number(_ group: String, _ file: String, _ files: HostFiles) throws(BuiltInFault) -> UInt64? {
        try files.readable(path(group, file), bytesMax: 64).flatMap { Number.only($0) }
    }

    /// A limit in a file; nil where there is none, `max`, or one of v1 that no machine reaches.
    func limit(_ group: String, _ file: String, _ files: HostFiles) throws(BuiltInFault) -> UInt64? {
        guard let bytes = try files.readable(path(group, file), bytesMax: 64), case .at(let limit) = CgroupLimit(bytes) else { return nil }
        return version == .one && limit >= 1 << 60 ? nil : limit
    }

    /// The files of the controllers stand beside the groups in a folder.
    private static func isInterface(_ name: String) -> Bool {
        if ["tasks", "release_agent", "notify_on_release"].contains(name) { return true }
        let stem = name.prefix { $0 != "." }
        guard stem.utf8.count < name.utf8.count, controllers.contains(String(stem)) else { return false }
        return !name.hasSuffix(".slice") && !name.hasSuffix(".scope") && !name.hasSuffix(".service")
    }

    private static let controllers: Set = [
        "cgroup", "cpu", "cpuacct", "cpuset", "memory", "io", "blkio", "pids", "hugetlb", "rdma", "misc", "irq", "dmem", "freezer",
        "devices",
        "net_cls", "net_prio", "perf_event",
    ]
}
