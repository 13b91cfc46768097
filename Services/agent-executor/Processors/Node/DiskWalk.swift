import AgentOperations

/// Counts what folders take on disk, as du(1) does: blocks, hard links once, one file system, no link followed; within a number of entries
/// and a point of time.
struct DiskWalk {
    struct Usage: Sendable, Equatable {
        var bytes: Int64 = 0
        var entries = 0
    }

    private let files: HostFiles
    private let deadline: ContinuousClock.Instant
    private var entriesLeft: Int
    private var seen: Set<FileID> = []
    /// Whether all of it was counted: neither bound was met.
    private(set) var isComplete = true
    /// Folders and files that could not be looked at.
    private(set) var refused = 0

    private struct FileID: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    init(_ files: HostFiles, entriesMax: Int, deadline: ContinuousClock.Instant) {
        self.files = files
        self.deadline = deadline
        entriesLeft = entriesMax
    }

    /// Of a file, or of a folder with all that it holds on its file system.
    mutating func usage(of path: HostPath, _ status: HostFiles.Status) throws(HostFiles.Problem) -> Usage {
        var usage = Usage()
        var open: [HostPath] = []
        count(status, path, &usage, &open)
        while isComplete, let folder = open.popLast() {
            do throws(HostFiles.Problem) {
                try eachEntry(of: folder) { (walk, path, entry) in
                    if entry.device == status.device { walk.count(entry, path, &usage, &open) }
                }
            } catch {
                try passOver(error)
            }
        }
        return usage
    }

    /// Calls the body for each entry of a folder, within the walk's bounds.
    ///
    /// - Throws: what the folder itself can't be read for; an entry that can't be looked at is passed over.
    mutating func eachEntry(
        of folder: HostPath, _ body: (inout DiskWalk, HostPath, HostFiles.Status) throws(HostFiles.Problem) -> Void
    ) throws(HostFiles.Problem) {
        try files.eachFileName(in: folder) { (name) throws(HostFiles.Problem) in
            guard entriesLeft > 0, ContinuousClock.now < deadline else {
                isComplete = false
                return false
            }
            entriesLeft -= 1
            let path = folder.appending(name)
            if let status = try status(path) { try body(&self, path, status) }
            return isComplete
        }
    }

    private mutating func count(_ status: HostFiles.Status, _ path: HostPath, _ usage: inout Usage, _ open: inout [HostPath]) {
        usage.entries += 1
        if status.kind == .folder {
            open.append(path)
        } else if status.links > 1, !seen.insert(FileID(device: status.device, inode: status.inode)).inserted {
            return
        }
        usage.bytes += status.allocatedBytes
    }

    private mutating func status(_ path: HostPath) throws(HostFiles.Problem) -> HostFiles.Status? {
        do throws(HostFiles.Problem) {
            return try files.status(path)
        } catch {
            try passOver(error)
            return nil
        }
    }

    private mutating func passOver(_ problem: HostFiles.Problem) throws(HostFiles.Problem) {
        switch problem {
        case .absent: break
        case .refused, .unreadable: refused += 1
        case .stopped: throw problem
        }
    }
}

extension ContinuousClock.Instant {
    /// When a walk has to end so that its execution has time left to tell what it has.
    static func walkEnd(_ context: BuiltInContext) -> ContinuousClock.Instant {
        .now + .seconds(min(max(context.timeoutSeconds * 0.8, context.timeoutSeconds - 5), 3600))
    }
}
