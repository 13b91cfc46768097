import AgentOperations
import Glibc
import NodeFacts
import ProcessRunner

/// A daemon that writes its stacks when it gets SIGUSR1.
struct Daemon: Sendable {
    /// As the process calls itself.
    let name: String

    /// Asks the one process of that name for its stacks, and says which it was.
    ///
    /// One that does not handle the signal would be killed by it, and is left alone.
    func askForStacks(_ host: Host) async throws(BuiltInFault) -> Int32 {
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
            let code = process.send(SIGUSR1)
            guard code == 0 else {
                throw code == EPERM
                    ? .privilegeMissing(what: "signalling \(name)", needs: "the agent to run as root")
                    : .failed("\(name): \(String(cString: strerror(code)))")
            }
            return pid
        }
    }

    /// Those of the name, without the children that they have just forked and that are about to become something else.
    private func processes(_ files: HostFiles) throws(BuiltInFault) -> [Int32] {
        var parents: [Int32: Int32] = [:]
        do throws(HostFiles.Problem) {
            for pid in try files.processIDs() {
                do throws(HostFiles.Problem) {
                    let stat = ProcessStat(try files.read("/proc/\(pid)/stat", bytesMax: 4096))
                    if let stat, stat.name == name { parents[pid] = stat.parent }
                } catch {
                    guard case .absent = error else { throw error }
                }
            }
        } catch {
            throw error.fault
        }
        return parents.filter { parents[$0.value] == nil }.keys.sorted()
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
