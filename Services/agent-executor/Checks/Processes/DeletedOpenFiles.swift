import AgentOperations
import Glibc
import NodeFacts

/// Files that have been deleted and still take space, since a process has them open.
enum DeletedOpenFiles {
    private static let bytesMin = Parameter.integer(
        "bytesMin", 0...(1 << 60), default: 100 << 20, "Space of deleted files, in bytes, from which on it is reported.")
    private static let mountpoint = Parameter.optional(
        "mountpoint", .absolutePath, "Only files of the file system that has this path; without it, of all.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "deletedOpenFiles",
            "Looks for deleted files that processes keep open, and that so keep their space; not for those that are mapped alone.",
            succeedsWhen: "deleted files that are still open take at least bytesMin",
            parameters: [bytesMin.definition, mountpoint.definition], privileges: ["root, for processes of other users"])
    ) { context, host throws(BuiltInFault) in
        let bytesMin = UInt64(context[bytesMin])
        let mountpoint = context[mountpoint]
        return try await host.read { (files) throws(BuiltInFault) in
            let device = try mountpoint.map { (path) throws(BuiltInFault) in try FileSystemFill.place(path, files).device }
            return try judge(try find(files, on: device), bytesMin: bytesMin, mountpoint, files)
        }
    }

    private struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    private struct Deleted {
        var path: String
        var bytes: UInt64
        var pid: Int32
        /// The thread that was asked: the process itself but where its first thread has ended.
        var thread: Int32
        var descriptor: Int32
        var otherHolders: Set<Int32> = []
    }

    private struct Search {
        var files: [Identity: Deleted] = [:]
        var processes = 0
        var refused = 0
    }

    private static let filesMax = 100_000
    private static let shown = 10
    private static let suffix = " (deleted)"
    /// What never had a name on a disk.
    private static let memory = ["/memfd:", "/SYSV", "/dev/zero", "/dev/shm/", "/[aio]", "/anon_hugepage", "/i915"]

    private static func find(_ files: HostFiles, on device: UInt64?) throws(BuiltInFault) -> Search {
        var search = Search()
        var found = 0
        let candidates = try files.eachProcess { (folder, pid) throws(HostFiles.Problem) in
            var deleted: [(thread: Int32, descriptor: Int32, path: String)] = []
            let descriptors = try folder.eachOpenFile(of: pid) { thread, number, target in
                guard found < filesMax, let path = path(target) else { return }
                found += 1
                deleted.append((thread, number, path))
            }
            switch descriptors {
            case .counted: search.processes += 1
            case .refused: search.refused += 1
            case .gone: break
            }
            return deleted.isEmpty ? nil : (pid, deleted)
        }
        for (pid, deleted) in candidates {
            for file in deleted {
                guard let info = try open("/proc/\(file.thread)/fd/\(file.descriptor)", files) else { continue }
                let identity = Identity(device: info.device, inode: info.inode)
                guard device == nil || device == info.device else { continue }
                if let known = search.files[identity] {
                    if known.pid != pid { search.files[identity]?.otherHolders.insert(pid) }
                    continue
                }
                search.files[identity] = Deleted(
                    path: file.path, bytes: info.allocatedBytes, pid: pid, thread: file.thread, descriptor: file.descriptor)
            }
        }
        return search
    }

    /// The name that a deleted file had; nil for what is there still, or never was on a disk.
    private static func path(_ target: UnsafeRawBufferPointer) -> String? {
        guard target.first == UInt8(ascii: "/"), target.count > suffix.utf8.count,
            target[(target.count - suffix.utf8.count)...].elementsEqual(suffix.utf8)
        else { return nil }
        let path = String(decoding: target.dropLast(suffix.utf8.count), as: UTF8.self)
        return memory.contains { path.utf8.starts(with: $0.utf8) } ? nil : path
    }

    /// What the descriptor leads to, which has no name any more.
    private static func open(
        _ path: String, _ files: HostFiles
    ) throws(BuiltInFault) -> (device: UInt64, inode: UInt64, allocatedBytes: UInt64)? {
        let descriptor: Int32
        do throws(HostFiles.Problem) {
            descriptor = try files.open(path)
        } catch {
            if case .stopped = error { throw .cancelled }
            return nil
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return (UInt64(info.st_dev), UInt64(info.st_ino), UInt64(max(0, info.st_blocks)).saturatingMultiply(512))
    }

    private static func judge(
        _ search: Search, bytesMin: UInt64, _ mountpoint: String?, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        let sorted = search.files.values.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }
        let total = sorted.reduce(UInt64(0)) { $0.saturatingAdd($1.bytes) }
        var evidence = [Finding.Evidence("deleted and open", sorted.count), Finding.Evidence("space they take", total, unit: "bytes")]
        for file in sorted.prefix(shown) {
            let holder = try ProcessScan.label(of: file.pid, files)
            let others =
                file.otherHolders.isEmpty ? "" : " and \(Quantity.count(file.otherHolders.count, "more process", "more processes"))"
            evidence.append(
                Finding.Evidence(
                    "\(ProcessScan.printable(file.path)), descriptor \(file.descriptor) of \(holder)\(others)", file.bytes, unit: "bytes"))
        }
        let place = mountpoint.map { " on the file system of \($0)" } ?? ""
        let what = "\(Quantity.count(sorted.count, "deleted file")) still open\(place)"
        guard total >= bytesMin, let largest = sorted.first else {
            let unseen =
                search.refused > 0 ? "; \(Quantity.count(search.refused, "process", "processes")) could not be looked at without root" : ""
            let summary =
                "\(what) in \(Quantity.count(search.processes, "process", "processes")), \(Quantity.bytes(total)) together\(unseen)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        return .found(
            Finding(
                .warning,
                "\(what) \(sorted.count == 1 ? "takes" : "take") \(Quantity.bytes(total)); the largest is \(ProcessScan.printable(largest.path)) of \(holders(largest)).",
                evidence: evidence,
                hint: """
                    The space comes back when the last process closes the file: restart it, or have it reopen its logs (many do on SIGHUP or SIGUSR1). \
                    For a log that nobody needs, truncate -s 0 /proc/\(largest.thread)/fd/\(largest.descriptor) frees it at once; of a database or \
                    another file in use it loses data, and a process that has it mapped may crash.
                    """))
    }

    private static func holders(_ file: Deleted) -> String {
        let pids = file.otherHolders.sorted()
        if pids.isEmpty { return "pid \(file.pid)" }
        let listed = pids.prefix(shown).map { "\($0)" }.joined(separator: ", ")
        return "pids \(file.pid), \(listed)\(pids.count > shown ? " and others" : "")"
    }
}
