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

    /// Of a file, or of a folder with all that it holds; nil where it is not there or on another file system than `device`.
    mutating func usage(of path: HostPath, device: UInt64? = nil) throws(HostFiles.Problem) -> Usage? {
        guard let first = try status(path), device.map({ $0 == first.device }) ?? true else { return nil }
        var usage = Usage()
        var open: [HostPath] = []
        count(first, path, &usage, &open)
        while isComplete, let folder = open.popLast() {
            for name in try names(in: folder) {
                guard entriesLeft > 0, ContinuousClock.now < deadline else {
                    isComplete = false
                    break
                }
                entriesLeft -= 1
                let path = folder.appending(name)
                guard let status = try status(path), status.device == first.device else { continue }
                count(status, path, &usage, &open)
            }
        }
        return usage
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

    private mutating func names(in path: HostPath) throws(HostFiles.Problem) -> [HostFiles.Name] {
        do throws(HostFiles.Problem) {
            return try files.fileNames(in: path)
        } catch {
            try passOver(error)
            return []
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
