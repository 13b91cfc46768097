import AgentOperations
import NodeFacts

/// File systems that take no writes any more though they should.
enum ReadOnlyMounts {
    private static let mountpoint = Parameter.optional(
        "mountpoint", .absolutePath, "The one mount point to look at, which then must be writable; without it, all disks.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "readOnlyMounts", "Looks for file systems that the kernel has set read-only after an error.",
            succeedsWhen: """
                a file system on a disk is read-only though it was mounted for writing, or /etc/fstab wants it writable; the given mountpoint, if it is \
                read-only for whatever reason
                """, parameters: [mountpoint.definition])
    ) { context, host throws(BuiltInFault) in
        let mountpoint = context[mountpoint]
        return try await host.read { (files) throws(BuiltInFault) in try look(files, mountpoint) }
    }

    private static let shown = 20
    /// Disk file systems. Others, such as images, are made to be read only.
    private static let diskTypes: Set = [
        "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "zfs", "bcachefs", "nilfs2", "vfat",
    ]

    private static func look(_ files: HostFiles, _ mountpoint: String?) throws(BuiltInFault) -> BuiltInOutcome {
        let mounts = MountTable.mountInfo(try files.needed("/proc/self/mountinfo"))
        if mounts.isEmpty { throw .failed("/proc/self/mountinfo is not what the kernel writes there") }
        if let mountpoint { return try one(mounts, mountpoint) }
        let wanted = Set(
            MountTable.mounts(try files.readable("/etc/fstab", bytesMax: 1 << 20) ?? []).filter { !$0.options.contains("ro") }.map(\.point))
        let disks = mounts.filter { diskTypes.contains($0.type) }
        var broken: [Mount] = []
        var devices: Set<String> = []
        for mount in disks {
            let isUnwanted = isReadOnly(mount) && wanted.contains(mount.point)
            if isLost(mount) || isUnwanted, devices.insert(mount.device).inserted { broken.append(mount) }
        }
        guard let first = broken.first else {
            let count = Set(disks.map(\.device)).count
            let summary = "\(Quantity.count(count, "file system")) on disks, none read-only that was mounted for writing."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence(Array(disks.prefix(shown)))))
        }
        let others = broken.count > 1 ? " and \(broken.count - 1) more are" : " is"
        return .found(finding("\(ProcessScan.printable(first.point)) (\(first.type) on \(first.source))\(others) read-only", broken))
    }

    private static func one(_ mounts: [Mount], _ point: String) throws(BuiltInFault) -> BuiltInOutcome {
        let path = point.count > 1 && point.hasSuffix("/") ? String(point.dropLast()) : point
        // The last mount on a point hides those before it.
        guard let mount = mounts.last(where: { $0.point == path }) else {
            throw .parameter("mountpoint", "\"\(point)\" is no mount point of this node")
        }
        let name = "\(ProcessScan.printable(mount.point)) (\(mount.type) on \(mount.source))"
        guard isReadOnly(mount) else {
            let summary = "\(name) is mounted for writing."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence([mount])))
        }
        return .found(finding("\(name) is read-only", [mount]))
    }

    private static func isReadOnly(_ mount: Mount) -> Bool { mount.isReadOnly || mount.isFileSystemReadOnly || isEmergency(mount) }

    /// Whether it takes no writes though it was mounted for them.
    private static func isLost(_ mount: Mount) -> Bool { isEmergency(mount) || mount.isFileSystemReadOnly && !mount.isReadOnly }

    /// What ext4 (since Linux 6.14) and btrfs say when an error has set them read-only: everything else may still say `rw`.
    private static func isEmergency(_ mount: Mount) -> Bool {
        mount.superOptions.contains("emergency_ro") || mount.superOptions.contains("shutdown")
    }

    private static func finding(_ sentence: String, _ mounts: [Mount]) -> Finding {
        let isFault = mounts.contains(where: isLost)
        return Finding(
            isFault ? .critical : .warning, "\(sentence).", evidence: evidence(mounts),
            hint: isFault
                ? """
                The kernel does this after an error of the file system or of its disk: kernelLog tells which. Move the work away, check the disk \
                (smartctl -a) and the file system (fsck, unmounted) before it is mounted for writing again.
                """
                : """
                The mount itself is read-only: somebody mounted it so, or the start of the machine did not get to mount it for writing. kernelLog tells of \
                errors; without any, mount -o remount,rw.
                """)
    }

    private static func evidence(_ mounts: [Mount]) -> [Finding.Evidence] {
        mounts.prefix(shown).map {
            Finding.Evidence(
                ProcessScan.printable($0.point),
                "\($0.type) on \($0.source), mount \($0.options.joined(separator: ",")), file system \($0.superOptions.joined(separator: ","))"
            )
        }
    }
}
