import AgentOperations
import NodeFacts

/// Looks for what fills a file system: its largest folders, and those that grow meanwhile.
struct FillSearch: Sendable {
    struct Cause: Sendable {
        /// Continues a sentence.
        var sentence: String
        var evidence: [Finding.Evidence]
    }

    let measure: FileSystemFill.Measure
    let start: String
    let walkSeconds: Double
    let growthSeconds: Double
    /// Where file systems are mounted.
    let mounts: Set<HostPath>
    /// When it has to be over, so that there is time left to tell what is known.
    let end: ContinuousClock.Instant

    private static let shown = 10

    private struct Growth: Sendable {
        var folders: [(path: HostPath, size: UInt64)] = []
        /// By the file system's own account.
        var taken: UInt64 = 0
        var left: UInt64 = 0
        var seconds: Double
    }

    func run(_ host: Host) async throws(BuiltInFault) -> Cause? {
        guard walkSeconds > 0 else { return nil }
        let now = host.clock.now().microseconds / 1_000_000
        let seconds = min(walkSeconds, secondsLeft)
        let walk = try await host.read { (files) throws(BuiltInFault) in
            try FolderWalk(HostPath(start), mounts: mounts, limits: FolderWalk.Limits(seconds: seconds), now: now, files)
        }
        // Counting again takes as long as counting did, twice.
        let growth = growthSeconds > 0 && secondsLeft > 0 ? try await growth(walk, host) : nil
        return cause(walk, growth, walkedSeconds: seconds)
    }

    private var secondsLeft: Double { max(0, ContinuousClock.now.duration(to: end) / .seconds(1)) }

    private func growth(_ walk: FolderWalk, _ host: Host) async throws(BuiltInFault) -> Growth {
        let first = try await host.read { (files) throws(BuiltInFault) in
            (
                left: try left(files),
                folders: try FolderWalk.again(walk.active, mounts: mounts, seconds: min(walkSeconds, secondsLeft / 4), files)
            )
        }
        let begin = host.clock.uptimeSeconds()
        // Growth is a difference over time: there is nothing to wait for but that.
        try await host.sleep(seconds: min(growthSeconds, secondsLeft / 2))
        let seconds = max(0.01, host.clock.uptimeSeconds() - begin)
        return try await host.read { (files) throws(BuiltInFault) in
            let now = try FolderWalk.again(walk.active, mounts: mounts, seconds: min(walkSeconds, secondsLeft), files)
            let left = try left(files)
            let grown = first.folders.compactMap { (path, before) in
                now[path].map { (path: path, size: measure.size($0).since(measure.size(before))) }
            }.filter { $0.size > 0 }.sorted { ($1.size, $0.path) < ($0.size, $1.path) }
            return Growth(folders: Array(grown.prefix(5)), taken: first.left.since(left), left: left, seconds: seconds)
        }
    }

    private func left(_ files: HostFiles) throws(BuiltInFault) -> UInt64 {
        do throws(HostFiles.Problem) {
            return measure.left(try files.fileSystem(start))
        } catch {
            throw error.fault
        }
    }

    private func cause(_ walk: FolderWalk, _ growth: Growth?, walkedSeconds: Double) -> Cause {
        let largest = walk.largest(Self.shown, by: measure.size, below: HostPath(start))
        let direct = measure.size(walk.direct)
        var sentence = largest.first.map { "; the largest folder is \(ProcessScan.printable($0.path)) with \(measure.text($0.size))" } ?? ""
        if direct > largest.first?.size ?? 0 {
            sentence = "; files directly in \(ProcessScan.printable(start)) hold most, \(measure.text(direct))"
        }
        var evidence = largest.map { Finding.Evidence(ProcessScan.printable($0.path), $0.size, unit: measure.unit) }
        if direct > 0 {
            let item = Finding.Evidence("files directly in \(ProcessScan.printable(start))", direct, unit: measure.unit)
            evidence.insert(item, at: largest.firstIndex { $0.size < direct } ?? largest.count)
        }
        evidence.append(Finding.Evidence("entries walked", walk.entries))
        if !walk.isComplete {
            if !sentence.isEmpty { sentence += " of what was walked within \(Quantity.duration(walkedSeconds))" }
            evidence.append(Finding.Evidence("walk", "cut at its limits: there may be larger folders"))
        }
        guard let growth else { return Cause(sentence: sentence, evidence: evidence) }
        let unit = measure == .space ? "bytes per second" : "per second"
        for folder in growth.folders {
            evidence.append(
                Finding.Evidence("\(ProcessScan.printable(folder.path.text)) grows", Double(folder.size) / growth.seconds, unit: unit))
        }
        if let fastest = growth.folders.first {
            sentence +=
                ", the fastest growing \(ProcessScan.printable(fastest.path.text)) with \(measure.text(fastest.size)) in \(Quantity.duration(growth.seconds))"
        }
        if growth.taken > 0 {
            let full = Double(growth.left) / (Double(growth.taken) / growth.seconds)
            evidence.append(Finding.Evidence("full at this rate in", full, unit: "seconds"))
        }
        return Cause(sentence: sentence, evidence: evidence)
    }
}
