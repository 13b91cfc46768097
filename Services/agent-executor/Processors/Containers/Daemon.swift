import AgentOperations
import Glibc
import Model
import NodeFacts
import ProcessRunner

/// A daemon that writes its stacks when it gets SIGUSR1.
struct Daemon: Sendable {
    /// As the process calls itself, and its executable is called.
    let name: String

    /// The process that was asked.
    struct Asked: Sendable {
        var pid: Int32
        /// Whose the process is, and what it writes.
        var user: UInt32
        var time: Timestamp
    }

    /// Asks the one process of that name for its stacks, and says which it was.
    ///
    /// Anybody may call a process as he likes: only one whose executable has the name too, and that runs as root, or as the agent's own user
    /// where that is another, is the daemon. One that does not handle the signal would be killed by it, and is left alone.
    func askForStacks(_ host: Host) async throws(BuiltInFault) -> Asked {
        guard host.files.root == "/" else { throw .unavailable("a recorded machine has no processes to signal") }
        return try await host.read { (files) throws(BuiltInFault) in
            let pids = try processes(files)
            guard let pid = pids.first else { throw .unavailable("\(name) does not run on this node") }
            guard pids.count == 1 else {
                throw .failed("\(pids.count) processes are called \(name): \(pids.map(String.init).joined(separator: ", "))")
            }
            guard let process = PinnedProcess(pid), try processes(files) == [pid] else { throw .failed("\(name) has just ended") }
            guard try CaughtSignals(of: pid, files).contains(SIGUSR1) else {
                throw .failed("process \(pid), called \(name), does not handle SIGUSR1: it would be killed by it")
            }
            let time = host.clock.now()
            let code = process.send(SIGUSR1)
            guard code == 0 else {
                throw code == EPERM
                    ? .privilegeMissing(what: "signalling \(name)", needs: "the agent to run as root")
                    : .failed("\(name): \(String(cString: strerror(code)))")
            }
            return Asked(pid: pid, user: user, time: time)
        }
    }

    private var user: UInt32 { geteuid() }

    /// Those that are it, without the children that they have just forked and that are about to become something else.
    private func processes(_ files: HostFiles) throws(BuiltInFault) -> [Int32] {
        var parents: [Int32: Int32] = [:]
        var other: String?
        do throws(HostFiles.Problem) {
            for pid in try files.processIDs() {
                do throws(HostFiles.Problem) {
                    let stat = ProcessStat(try files.read("/proc/\(pid)/stat", bytesMax: 4096))
                    guard let stat, stat.name == name else { continue }
                    guard let reason = try whyNot(pid, files) else {
                        parents[pid] = stat.parent
                        continue
                    }
                    other = other ?? reason
                } catch {
                    guard case .absent = error else { throw error }
                }
            }
        } catch {
            throw error.fault
        }
        if parents.isEmpty, let other { throw .failed(other) }
        return parents.filter { parents[$0.value] == nil }.keys.sorted()
    }

    /// What shows that a process only has the daemon's name.
    private func whyNot(_ pid: Int32, _ files: HostFiles) throws(HostFiles.Problem) -> String? {
        let owner = ProcessStatus(try files.read("/proc/\(pid)/status", bytesMax: 64 * 1024)).user
        guard owner == UInt64(user) else {
            let text = owner.map { "user \($0)" } ?? "nobody"
            return "process \(pid), called \(name), runs as \(text) and not as user \(user): it is not taken for \(name)"
        }
        let executable = try files.link("/proc/\(pid)/exe")
        let file = PathText.parts(of: executable).last ?? ""
        // The kernel's mark of a file that has been replaced since, as an update does.
        guard [name, "\(name) (deleted)"].contains(where: { PathText.isSame(file, $0[...]) }) else {
            return "process \(pid), called \(name), is \(executable): it is not taken for \(name)"
        }
        return nil
    }
}

/// Which signals a process has handlers for (`SigCgt` of proc_pid_status(5)).
struct CaughtSignals: Sendable {
    private let mask: UInt64

    /// Throws `failed` where the process is gone.
    init(of pid: Int32, _ files: HostFiles) throws(BuiltInFault) {
        let text: String
        do throws(HostFiles.Problem) {
            text = try files.text("/proc/\(pid)/status", bytesMax: 64 * 1024)
        } catch {
            if case .absent = error { throw .failed("there is no process \(pid)") }
            throw error.fault
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("SigCgt:\t") }
        mask = line.flatMap { UInt64($0.dropFirst(8), radix: 16) } ?? 0
    }

    func contains(_ signal: Int32) -> Bool { mask >> UInt64(signal - 1) & 1 == 1 }
}
