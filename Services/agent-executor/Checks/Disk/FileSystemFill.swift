import AgentOperations
import NodeFacts

/// File systems that are full or nearly so, of bytes or of inodes, and what fills them.
enum FileSystemFill {
    enum Measure: Sendable {
        case space, inodes

        func left(_ use: FileSystemUse) -> UInt64 { self == .space ? use.availableBytes : use.freeInodes }

        /// What ordinary users can have in all, as df counts it.
        func whole(_ use: FileSystemUse) -> UInt64 {
            self == .space ? use.totalBytes.since(use.freeBytes).saturatingAdd(use.availableBytes) : use.totalInodes
        }

        func size(_ total: FolderWalk.Total) -> UInt64 { self == .space ? total.bytes : total.entries }
        func text(_ size: UInt64) -> String {
            self == .space ? Quantity.bytes(size) : Quantity.count(Int(clamping: size), "entry", "entries")
        }
        var unit: String { self == .space ? "bytes" : "" }
        var noun: String { self == .space ? "free" : "inodes free" }
        var counted: String { self == .space ? "space" : "inodes" }
    }

    static let space = builtIn(
        "diskSpace", .space, default: 10,
        "Looks for file systems that are nearly full, and for the folders in them that are largest and that grow.",
        succeedsWhen: "at most availablePercent of a file system is available")
    static let inodes = builtIn(
        "inodes", .inodes, default: 5,
        "Looks for file systems that have hardly an inode left, and for the folders in them with the most files.",
        succeedsWhen: "at most availablePercent of the inodes of a file system are free")

    private static let mountpoint = Parameter.optional(
        "mountpoint", .absolutePath, "The one file system to look at, by a path on it; without it, all that are not on the network.")
    private static let criticalPercent = Parameter.percent(
        "criticalPercent", default: 3, "What is available, from which down it is critical.")
    private static let walkSeconds = Parameter.seconds(
        "walkSeconds", 0...300, default: 10, "How long folders are walked at most, once a fault is found; 0 for not at all.")
    private static let growthSeconds = Parameter.seconds(
        "growthSeconds", 0...300, default: 5, "How long growth is watched after the walk; 0 for not at all.")

    private static func builtIn(
        _ name: String, _ measure: Measure, default value: Double, _ summary: String, succeedsWhen: String
    ) -> BuiltIn {
        let available = Parameter.percent(
            "availablePercent", default: value, "What is available, from which down it is reported; 100 reports every file system.")
        let declaration = BuiltInDeclaration(
            name, summary, succeedsWhen: succeedsWhen,
            parameters: [
                mountpoint.definition, available.definition, criticalPercent.definition, walkSeconds.definition, growthSeconds.definition,
            ], privileges: ["root, for folders of other users"], timeoutSeconds: 120)
        return BuiltIn(declaration) { context, host throws(BuiltInFault) in
            let path = context[mountpoint]
            let end = ContinuousClock.now + .seconds(context.lookSeconds)
            let (fills, mounts) = try await host.read { (files) throws(BuiltInFault) in
                let mounts = MountTable.mountInfo(try files.needed("/proc/self/mountinfo"))
                return (try FileSystemFill.fills(measure, path, mounts, files), mounts)
            }
            if path != nil, let only = fills.first, only.whole == 0 {
                return .ruledOut(
                    "\(ProcessScan.printable(only.point)) is a file system (\(only.type)) that counts no \(measure.counted): it can't run out."
                )
            }
            guard let fullest = fills.first, fullest.percent <= context[available] else {
                return healthy(measure, fills, context[available])
            }
            let search = FillSearch(
                measure: measure, start: fullest.point, walkSeconds: context[walkSeconds], growthSeconds: context[growthSeconds],
                mounts: Set(mounts.map { HostPath($0.point) }), end: end)
            let cause = try await search.run(host)
            let full = fills.filter { $0.percent <= context[available] }
            return .found(finding(measure, full, cause, isCritical: fullest.percent < context[criticalPercent]))
        }
    }

    struct Fill: Sendable {
        var point: String
        var type: String
        var source: String
        var left: UInt64
        var whole: UInt64
        var percent: Double { left.percent(of: whole) }
    }

    /// File systems of the kernel, or read-only by nature: they are always full.
    private static let skipped: Set = [
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl",
        "hugetlbfs",
        "iso9660", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs",
        "tracefs", "erofs", "udf", "cramfs", "romfs", "fuse.lxcfs", "fuse.gvfsd-fuse", "fuse.portal",
    ]

    /// A server that does not answer would hold up whoever asks.
    private static func isOnNetwork(_ type: String) -> Bool {
        ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "afs", "glusterfs", "lustre", "gpfs", "ocfs2", "virtiofs"].contains(type)
            || type.hasPrefix("fuse")
    }

    /// Whether a path is a mount point or below it, compared in bytes as the kernel does.
    private static func holds(_ path: String, _ point: String) -> Bool {
        path.utf8.elementsEqual(point.utf8) || path.utf8.starts(with: (point == "/" ? point : point + "/").utf8)
    }

    /// The fullest first.
    private static func fills(
        _ measure: Measure, _ path: String?, _ mounts: [Mount], _ files: HostFiles
    ) throws(BuiltInFault) -> [Fill] {
        if mounts.isEmpty { throw .failed("/proc/self/mountinfo is not what the kernel writes there") }
        if let path {
            let place = try place(path, files).path
            // Of mounts on one point the last hides the others.
            let holders = mounts.filter { holds(place, $0.point) }
            let longest = holders.map(\.point.utf8.count).max()
            guard let holder = holders.last(where: { $0.point.utf8.count == longest }) else {
                throw .failed("/proc/self/mountinfo names no file system that holds \(place)")
            }
            guard let use = try use(of: path, files) else { throw notThere(path) }
            return [fill(measure, holder, use)]
        }
        var devices: Set<String> = []
        var fills: [Fill] = []
        // Of mounts on one point the last hides the others.
        let shown = Dictionary(mounts.map { ($0.point, $0.id) }) { $1 }
        for mount in mounts
        where shown[mount.point] == mount.id && !skipped.contains(mount.type) && !isOnNetwork(mount.type)
            && devices.insert(mount.device).inserted
        {
            // A recorded machine, or a mount below another that hides it, may not have the folder.
            guard !mount.isFileSystemReadOnly, let use = try use(of: mount.point, files) else { continue }
            let fill = self.fill(measure, mount, use)
            if fill.whole > 0 { fills.append(fill) }
        }
        return fills.sorted { ($0.percent, $0.point) < ($1.percent, $1.point) }
    }

    /// Where a parameter `mountpoint` leads to, links followed, and the device of its file system.
    static func place(_ path: String, _ files: HostFiles) throws(BuiltInFault) -> (path: String, device: UInt64) {
        do throws(HostFiles.Problem) {
            let resolved = try files.resolved(path)
            return (resolved.path, resolved.status.device)
        } catch {
            if case .stopped = error { throw .cancelled }
            throw notThere(path)
        }
    }

    private static func notThere(_ path: String) -> BuiltInFault { .parameter("mountpoint", "\"\(path)\" is no folder of this node") }

    private static func fill(_ measure: Measure, _ mount: Mount, _ use: FileSystemUse) -> Fill {
        Fill(point: mount.point, type: mount.type, source: mount.source, left: measure.left(use), whole: measure.whole(use))
    }

    private static func use(of path: String, _ files: HostFiles) throws(BuiltInFault) -> FileSystemUse? {
        do throws(HostFiles.Problem) {
            return try files.fileSystem(path)
        } catch {
            if case .stopped = error { throw .cancelled }
            return nil
        }
    }

    private static let shown = 10

    private static func evidence(_ measure: Measure, _ fills: [Fill]) -> [Finding.Evidence] {
        fills.prefix(shown).flatMap { fill in
            let name = ProcessScan.printable(fill.point)
            return [
                Finding.Evidence("\(name) available", fill.left, unit: measure.unit),
                Finding.Evidence("\(name) available, of all", fill.percent, unit: "percent"),
            ]
        }
    }

    private static func healthy(_ measure: Measure, _ fills: [Fill], _ threshold: Double) -> BuiltInOutcome {
        let fullest = fills.first.map { "; the fullest: \(describe(measure, $0))" } ?? ""
        let summary =
            "\(Quantity.count(fills.count, "file system")) looked at, none below \(Quantity.percent(threshold)) \(measure.noun)\(fullest)."
        return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence(measure, fills)))
    }

    private static func describe(_ measure: Measure, _ fill: Fill) -> String {
        let left = measure == .space ? Quantity.bytes(fill.left) : "\(fill.left)"
        return "\(ProcessScan.printable(fill.point)) has \(left) (\(Quantity.percent(fill.percent))) \(measure.noun)"
    }

    private static func finding(_ measure: Measure, _ full: [Fill], _ cause: FillSearch.Cause?, isCritical: Bool) -> Finding {
        let first = describe(measure, full[0])
        let others = full.count > 1 ? "; \(full.count - 1) more are nearly full" : ""
        let hint =
            measure == .space
            ? """
            Free space in the largest folders, or grow the file system. What du does not find may be deleted and still open: deletedOpenFiles. Containers: \
            crictl rmi --prune, journal: journalctl --vacuum-size=500M.
            """
            : "Many small files: look for sessions, caches or spools that nobody clears in the folders with the most entries, and remove them."
        return Finding(
            isCritical ? .critical : .warning, "\(first)\(cause?.sentence ?? "")\(others).",
            evidence: evidence(measure, full) + (cause?.evidence ?? []), hint: hint)
    }
}
