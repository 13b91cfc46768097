internal import CSpawn
import Glibc
import Synchronization

/// Finds and ends descendants that left their process group (setsid), and reaps orphans.
///
/// As the subreaper, this process becomes the parent of every orphaned descendant, whatever group or session it is in; its marker
/// variable says which run it belongs to. The state is the process's, as the subreaper flag is.
enum OrphanSweep {
    private static let leaders = Mutex<Set<pid_t>>([])
    private static let tasksListChildren = ProcFS.children(of: getpid(), thread: getpid()) != nil

    static func adoptOrphans() throws(ProcessError) {
        let code = cspawn_become_subreaper()
        guard code >= 0 else { throw .system(call: "prctl", errno: -code) }
    }

    /// Starts a leader. The lock is held over the start so that no sweep takes a leader for an orphan and reaps it.
    static func spawn(_ start: () throws(ProcessError) -> pid_t) throws(ProcessError) -> pid_t {
        try leaders.withLock { leaders throws(ProcessError) in
            let pid = try start()
            leaders.insert(pid)
            return pid
        }
    }

    static func forget(leader: pid_t) { leaders.withLock { _ = $0.remove(leader) } }

    /// Whether a sweep may have something to do after a run; cheap, one read of a small file.
    static func mayBeNeeded(afterGroup group: pid_t) -> Bool {
        if kill(-group, 0) == 0 || errno != ESRCH { return true }
        guard tasksListChildren else { return true }
        // The kernel hands orphans to the first thread that lives, which is the main thread; leaders are the starter thread's.
        guard let orphans = ProcFS.children(of: getpid(), thread: getpid()) else { return true }
        return !orphans.isEmpty
    }

    /// Kills what belongs to the run and reaps what is dead; waits up to half a second for the killed to be gone.
    ///
    /// - Returns: how many were killed.
    static func run(marker: ProcessMarker?, group: pid_t?, endsUnmarked: Bool) -> Int {
        var killed: Set<pid_t> = []
        for _ in 0..<250 {
            let (living, isIdle) = reapOrphans()
            var waits = false
            // An orphan that threw its marker away can't be told from another run's; where there is no other run, it is this one's.
            for orphan in living where (endsUnmarked && isIdle) || belongs(orphan, marker, group) {
                for pid in [orphan] + ProcFS.descendants(of: orphan) {
                    kill(pid, SIGKILL)
                    killed.insert(pid)
                }
                waits = true
            }
            // Members of the killed group may still be on their way out, and their own children with them.
            if let group, kill(-group, 0) == 0 { waits = true }
            if !waits { break }
            usleep(2_000)
        }
        return killed.count
    }

    private static func belongs(_ pid: pid_t, _ marker: ProcessMarker?, _ group: pid_t?) -> Bool {
        if let marker, ProcFS.variable(marker.name, of: pid) == marker.value { return true }
        if let group, ProcFS.stat(pid)?.group == group { return true }
        return false
    }

    /// The orphans that live, and whether nothing else runs; the dead ones are reaped.
    private static func reapOrphans() -> (living: [pid_t], isIdle: Bool) {
        leaders.withLock { leaders in
            let own = getpid()
            // Orphans are the main thread's children. What another thread has started is somebody else's to reap.
            let listed = ProcFS.children(of: own, thread: own)
            let children = listed ?? ProcFS.processIDs().filter { ProcFS.stat($0)?.parent == own }
            var exit = cspawn_exit()
            return (children.filter { !leaders.contains($0) && cspawn_reap($0, &exit) == 0 }, leaders.isEmpty)
        }
    }
}

/// Ends what a dead predecessor of this process left running.
struct LeftoverSweep {
    let markerName: String
    /// What the values of the predecessor's markers begin with.
    let family: String

    /// Returns how many were killed.
    func run(leaders: [ProcessIdentity]) -> Int {
        var killed: Set<pid_t> = []
        for leader in leaders {
            let group = [leader.processID] + (leader.isAlive ? ProcFS.descendants(of: leader.processID) : [])
            guard Self.end(leader.processID, where: { _ in leader.isAlive }) else { continue }
            killed.insert(leader.processID)
            for pid in group.dropFirst() where kill(pid, SIGKILL) == 0 { killed.insert(pid) }
            kill(-leader.processID, SIGKILL)
        }
        let limit = FamilyLimit(name: markerName, family: family)
        let isMarked = { (pid: pid_t) -> Bool in
            ProcFS.variable(markerName, of: pid)?.hasPrefix(family) == true || limit?.isCarried(by: pid) == true
        }
        // Again until nothing is found: a process may have forked between the look and the kill.
        for _ in 0..<20 {
            let ended = ProcFS.processIDs().filter { $0 != getpid() && isMarked($0) && Self.end($0, where: isMarked) }
            if ended.isEmpty { break }
            killed.formUnion(ended)
            Self.waitUntilGone(ended)
        }
        return killed.count
    }

    /// Kills a process that is what it was found to be: looked at again once it is held, for its number may be another's by then. False for
    /// one that is another, has ended or can't be killed.
    private static func end(_ pid: pid_t, where isMeant: (pid_t) -> Bool) -> Bool {
        let pidfd = cspawn_pidfd_open(pid)
        guard pidfd >= 0 else { return false }
        defer { close(pidfd) }
        return isMeant(pid) && cspawn_pidfd_wait(pidfd, 0) == 0 && cspawn_pidfd_signal(pidfd, SIGKILL) >= 0
    }

    private static func waitUntilGone(_ pids: [pid_t]) {
        let deadline = ContinuousClock.now + .seconds(5)
        for pid in pids {
            let pidfd = cspawn_pidfd_open(pid)
            guard pidfd >= 0 else { continue }
            let left = deadline - .now
            _ = cspawn_pidfd_wait(pidfd, Int32(max(0, left.milliseconds)))
            close(pidfd)
        }
    }
}

extension Duration {
    /// Rounded up.
    var milliseconds: Int64 { components.seconds * 1000 + (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000 }
}
