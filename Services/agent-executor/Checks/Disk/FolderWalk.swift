import AgentOperations
import NodeFacts

/// What the folders of one file system hold: a walk that stays on it, in bounds of time and of entries, shallow folders first.
struct FolderWalk: Sendable {
    /// Of a folder with all below it.
    struct Total: Sendable, Equatable {
        var bytes: UInt64 = 0
        var entries: UInt64 = 0

        mutating func add(_ file: HostFiles.Status) {
            entries += 1
            bytes = bytes.saturatingAdd(UInt64(max(0, file.allocatedBytes)))
        }
    }

    /// A folder in which something was written lately, with what lies directly in it.
    struct Active: Sendable {
        var path: HostPath
        var own: Total
        var writtenAt: Int64
    }

    struct Limits: Sendable {
        var seconds: Double
        var entriesMax = 2_000_000
        var foldersMax = 200_000
    }

    /// How deep below the start folders are told apart.
    static let depthMax = 4
    static let activeMax = 200
    /// Hard links that are remembered, so that a file counts once.
    private static let linksMax = 100_000
    private static let recentSeconds: Int64 = 900

    /// By their paths, down to `depthMax`.
    private(set) var totals: [HostPath: Total] = [:]
    /// Those that were written to last.
    private(set) var active: [Active] = []
    private(set) var entries = 0
    /// What lies in the start itself, outside of its folders.
    private(set) var direct = Total()
    /// Whether all was seen within the limits.
    private(set) var isComplete = true

    private struct Folder {
        var path: HostPath
        var depth: Int
        /// The nearest folder that is told apart.
        var counted: HostPath
    }

    /// - Parameters:
    ///   - start: a folder; only what is on its file system is walked.
    ///   - mounts: where other file systems are mounted.
    ///   - now: seconds since 1970, for what counts as lately.
    init(_ start: HostPath, mounts: Set<HostPath> = [], limits: Limits, now: Int64, _ files: HostFiles) throws(BuiltInFault) {
        let status: HostFiles.Status
        do throws(HostFiles.Problem) {
            status = try files.status(start)
        } catch {
            throw error.fault
        }
        let deadline = Deadline(limits.seconds)
        var active = Largest<Active>(Self.activeMax) { $0.writtenAt > $1.writtenAt }
        var open = [Folder(path: start, depth: 0, counted: start)]
        var next = 0
        var links: Set<UInt64> = []
        while next < open.count {
            let folder = open[next]
            next += 1
            guard !deadline.isOver(), entries < limits.entriesMax else {
                isComplete = false
                break
            }
            var own = Total()
            var writtenAt = Int64.min
            try files.eachReadableEntry(of: folder.path, except: mounts) { path, info in
                entries += 1
                guard entries <= limits.entriesMax, !deadline.isOver(at: entries) else {
                    isComplete = false
                    return false
                }
                guard let info, info.device == status.device else { return true }
                let isNew = info.links < 2 || info.kind == .folder || links.count >= Self.linksMax || links.insert(info.inode).inserted
                guard isNew else { return true }
                own.add(info)
                writtenAt = max(writtenAt, info.modifiedAt)
                guard info.kind == .folder else {
                    if folder.depth == 0 { direct.add(info) }
                    return true
                }
                guard open.count < limits.foldersMax else {
                    isComplete = false
                    return true
                }
                let isCounted = folder.depth < Self.depthMax
                open.append(Folder(path: path, depth: folder.depth + 1, counted: isCounted ? path : folder.counted))
                return true
            }
            add(own, to: folder.counted, start)
            if writtenAt >= now - Self.recentSeconds { active.add(Active(path: folder.path, own: own, writtenAt: writtenAt)) }
        }
        self.active = active.sorted
    }

    /// A point of time that ends a walk, for which the clock is asked now and then.
    private struct Deadline {
        private let end: ContinuousClock.Instant

        init(_ seconds: Double) { end = .now + .seconds(seconds) }

        func isOver() -> Bool { ContinuousClock.now >= end }
        func isOver(at count: Int) -> Bool { count % 256 == 0 && isOver() }
    }

    /// A folder's content counts for all above it, up to the start.
    private mutating func add(_ own: Total, to folder: HostPath, _ start: HostPath) {
        var path = folder
        while true {
            totals[path, default: Total()].bytes = (totals[path]?.bytes ?? 0).saturatingAdd(own.bytes)
            totals[path, default: Total()].entries += own.entries
            guard path != start, let parent = path.parent, parent.bytes.count >= start.bytes.count else { return }
            path = parent
        }
    }

    /// What lies directly in the active folders now, as it was counted in the walk; without those for which the time is too short.
    static func again(
        _ active: [Active], mounts: Set<HostPath> = [], seconds: Double, _ files: HostFiles
    ) throws(BuiltInFault) -> [HostPath: Total] {
        let deadline = Deadline(seconds)
        var totals: [HostPath: Total] = [:]
        for folder in active {
            var own = Total()
            var count = 0
            var isWhole = true
            try files.eachReadableEntry(of: folder.path, except: mounts) { _, info in
                count += 1
                isWhole = !deadline.isOver(at: count)
                if let info { own.add(info) }
                return isWhole
            }
            guard isWhole, !deadline.isOver() else { break }
            totals[folder.path] = own
        }
        return totals
    }

    /// The folders that hold most, the deepest that tells it: one of which a folder in it holds half is left out.
    func largest(_ count: Int, by size: (Total) -> UInt64, below start: HostPath) -> [(path: String, size: UInt64)] {
        let sorted = totals.filter { $0.key != start && size($0.value) > 0 }.map { (path: $0.key, size: size($0.value)) }
            .sorted { ($1.size, $0.path) < ($0.size, $1.path) }
        var kept: [(path: String, size: UInt64)] = []
        for folder in sorted.prefix(20 * count) {
            // Sorted by size: what is in it comes after it.
            let isExplained = sorted.prefix(20 * count).contains {
                $0.path.isBelow(folder.path) && Double($0.size) >= 0.5 * Double(folder.size)
            }
            if !isExplained { kept.append((folder.path.text, folder.size)) }
            if kept.count == count { break }
        }
        return kept
    }
}
