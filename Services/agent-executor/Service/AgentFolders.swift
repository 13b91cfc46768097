import AgentExecutorCore
import Glibc
import Logging
import Model
import ProcessRunner
import ServiceKit

/// The folders of an agent.
struct AgentFolders: Sendable {
    let run: RunFolder
    let evidence: String
    /// Where executions' own folders may be left from an earlier run of this agent.
    let runs: [String]

    init(_ directory: String, run: RunFolder) throws(DiskFault) {
        self.run = run
        evidence = "\(directory)/evidence"
        runs = Set([run.path, RunFolder.path(in: directory)]).sorted()
        try FileTree.make(evidence)
    }
}

/// The folder of the executions' own folders.
///
/// Where scripts run as another user than the agent, that user has to pass through to the script and to its folder; the data directory lets
/// nobody in. Only the agent writes into it, and nobody else lists it: the names in it are what keeps scripts of one user apart.
struct RunFolder: Sendable {
    private static let standard = "/var/lib/kubediag-run"

    let path: String
    private let isShared: Bool

    static func path(in directory: String) -> String { "\(directory)/run" }

    /// Throws `ConfigurationFaults` where the folder that was given is no place for it, `DiskFault` where it can't be made.
    init(_ configuration: Configuration, _ directory: String, _ users: StepUsers, _ journal: JournalID) throws {
        let mode: mode_t = users.canChange ? 0o711 : 0o700
        let shared = configuration[AgentSettings.runDirectory] ?? (users.canChange ? Self.standard : nil)
        isShared = shared != nil
        path = shared.map { "\($0)/\(journal)" } ?? Self.path(in: directory)
        if let shared { try FileTree.make(shared, mode: mode) }
        try FileTree.make(path, mode: mode)
        if let fault = Self.fault(path, users) {
            throw ConfigurationFaults([ConfigurationFault(configuration.origin(of: AgentSettings.runDirectory), fault)])
        }
        // It may stand there from before, with other bits.
        if chmod(path, mode) != 0 { throw DiskFault(path, errno) }
    }

    /// What makes a folder unfit.
    private static func fault(_ path: String, _ users: StepUsers) -> String? {
        var info = stat()
        guard lstat(path, &info) == 0, info.st_uid == users.own.userID, info.st_mode & 0o022 == 0 else {
            return "\(path) has to belong to \(users.own.name), and to be writable by nobody else"
        }
        guard !users.standard.isRoot, users.canChange else { return nil }
        var above = ""
        for name in path.split(separator: "/") {
            above += "/\(name)"
            if stat(above, &info) != 0 || info.st_mode & S_IXOTH == 0 {
                return
                    "other users can't pass through \(above) (chmod o+x), and scripts run as \(users.standard.name); give --run-directory"
            }
        }
        return nil
    }

    /// Removes it where it stands outside of the data directory.
    func leave() {
        guard isShared else { return }
        _ = FileTree.remove(path)
        // It stays where another agent of this machine has its folder in it.
        rmdir(Self.standard)
    }
}

/// Ends what a killed predecessor left running, and tells which executions it had begun.
struct Leftovers: Sendable {
    let folders: AgentFolders
    let runner: ProcessRunner
    let logger: Logger

    func end(_ journal: JournalID, isCopy: Bool) async -> [JobKey: [BegunStep]] {
        var begun: [JobKey: [BegunStep]] = [:]
        var leaders: [ProcessIdentity] = []
        let names = folders.runs.flatMap { run in FileTree.names(in: run).map { "\(run)/\($0)" } }
        // What a copy tells of may be running right now, for the original.
        if isCopy {
            for run in folders.runs { _ = FileTree.empty(run) }
            return [:]
        }
        for record in names.compactMap({ LeaderRecord(folder: $0) }) {
            if let leader = record.leader { leaders.append(leader) }
            guard let trace = ExecutionTrace(parsing: record.note) else { continue }
            begun[trace.key, default: []].append(trace.step)
        }
        let killed = await runner.endLeftovers(
            markerName: StepExecutor.markerName, family: StepExecutor.family(journal), leaders: leaders)
        if killed > 0 { logger.warning("processes of an earlier run were ended", metadata: ["count": .stringConvertible(killed)]) }
        for run in folders.runs { _ = FileTree.empty(run) }
        return begun
    }
}
