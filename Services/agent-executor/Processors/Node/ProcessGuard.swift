import AgentOperations
import NodeFacts
import ProcessRunner

/// Says which processes may be stopped or signalled: not the node's first one, not the agent, what it descends from or what descends from
/// it, no thread of the kernel.
struct ProcessGuard: Sendable {
    static let pids = 2...4_194_304

    let agent: Int32

    /// A process that may be touched, held before it is looked at, so that what is touched is what was checked.
    ///
    /// - Parameters:
    ///   - field: the parameter that names it.
    ///   - startTicks: when it was started, where that is known: another process of its number is spared.
    func pin(
        _ pid: Int32, field: String, startTicks: UInt64? = nil, _ files: HostFiles
    ) throws(BuiltInFault) -> PinnedProcess {
        guard let process = PinnedProcess(pid) else { throw .failed("there is no process \(pid)") }
        guard let stat = try Self.stat(of: pid, files) else { throw .failed("process \(pid) has just ended") }
        if let startTicks, startTicks != stat.startTicks {
            throw .failed(
                "process \(pid) is another one by now: it was started at \(stat.startTicks) ticks after boot, not at \(startTicks)")
        }
        if pid <= 1 { throw .parameter(field, "\(pid) is the node's first process") }
        if stat.isKernelThread { throw .parameter(field, "\(pid) is a thread of the kernel") }
        if pid == agent { throw .parameter(field, "\(pid) is the agent itself") }
        if try Self.ancestors(of: agent, files).contains(pid) {
            throw .parameter(field, "\(pid) is a process that the agent descends from")
        }
        if try Self.ancestors(of: pid, files).contains(agent) {
            throw .parameter(field, "\(pid) belongs to the agent: it is one of its steps, or of their children")
        }
        return process
    }

    private static func ancestors(of pid: Int32, _ files: HostFiles) throws(BuiltInFault) -> [Int32] {
        var ancestors: [Int32] = []
        var next = pid
        while ancestors.count < 1024, let parent = try stat(of: next, files)?.parent, parent > 0 {
            ancestors.append(parent)
            next = parent
        }
        return ancestors
    }

    static func stat(of pid: Int32, _ files: HostFiles) throws(BuiltInFault) -> ProcessStat? {
        do throws(HostFiles.Problem) {
            return ProcessStat(try files.read("/proc/\(pid)/stat", bytesMax: 4096))
        } catch {
            guard case .absent = error else { throw error.fault }
            return nil
        }
    }
}
