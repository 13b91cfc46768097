import Glibc
import Synchronization

/// Runs programs: starts them by posix_spawn in process groups of their own, feeds and drains them, and ends them whole.
///
/// Two threads serve all children: one starts them (it blocks for the few hundred microseconds that a start takes), one waits
/// with epoll for pipes and pidfds. Callers suspend; no thread of the cooperative pool ever blocks here.
public final class ProcessRunner: Sendable {
    /// What becomes of descendants that outlive their run and have left its process group.
    public enum Orphans: Sendable {
        /// They stay, as children of the system.
        case leave
        /// This process becomes the reaper of orphaned descendants (for all of its children, as the kernel has it), and those that carry
        /// a run's marker are ended with it.
        case endMarked
        /// The same, and those without a marker are ended whenever nothing runs: for a process whose every child comes from here.
        case endAll
    }

    private let starter: SerialThread
    private let loop: ChildLoop
    /// Set once no more children are taken.
    private let closed = Run()

    public init(orphans: Orphans = .leave) throws(ProcessError) {
        try StandardDescriptors.reserve()
        if orphans != .leave { try OrphanSweep.adoptOrphans() }
        starter = try SerialThread(name: "proc-start")
        loop = try ChildLoop(starter: starter, orphans: orphans)
    }

    deinit { loop.stop() }

    /// Runs a command to its end.
    ///
    /// Cancelling the task ends the process like a timeout does; the outcome then says `cancelled` and is returned once the
    /// process is gone.
    public func run(_ command: ProcessCommand) async throws(ProcessError) -> ProcessOutcome {
        let run = Run()
        let result: Result<ProcessOutcome, ProcessError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let finish: @Sendable (Result<ProcessOutcome, ProcessError>) -> Void = { continuation.resume(returning: $0) }
                let accepted = starter.post { [loop, closed] in
                    if closed.isCancelled { finish(.failure(.closed)) } else { Self.start(command, run, loop, finish) }
                }
                if !accepted { finish(.failure(.closed)) }
            }
        } onCancel: {
            run.cancel()
            loop.cancel(run)
        }
        return try result.get()
    }

    /// Ends what a predecessor of this process left behind: groups whose leader is still the recorded process, and every process
    /// that carries the marker of a run of this family, its variable or its limit.
    ///
    /// - Returns: how many processes were killed; it waits up to 5 s for them to be gone.
    public func endLeftovers(markerName: String, family: String, leaders: [ProcessIdentity]) async -> Int {
        await starter.perform { LeftoverSweep(markerName: markerName, family: family).run(leaders: leaders) }
    }

    /// Ends all children and refuses new ones.
    public func shutdown() async {
        // On the starter's thread, so that every start before it has been handed over and none comes after.
        await starter.perform { [closed] in closed.cancel() }
        await withCheckedContinuation { continuation in loop.stop { continuation.resume() } }
        starter.close()
    }

    private static func start(
        _ command: ProcessCommand, _ run: Run, _ loop: ChildLoop,
        _ finish: @escaping @Sendable (Result<ProcessOutcome, ProcessError>) -> Void
    ) {
        guard !run.isCancelled else { return finish(.failure(.cancelledBeforeStart)) }
        do throws(ProcessError) {
            let child = try ChildStart.start(command, run: run, finish: finish)
            loop.adopt(child)
        } catch {
            finish(.failure(error))
        }
    }
}

/// One call of `run`, as the handle by which it is cancelled.
final class Run: Sendable {
    private let cancelled = Atomic<Bool>(false)
    /// Descendants outside of the group that were killed.
    let escaped = Atomic<Int>(0)

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func cancel() { cancelled.store(true, ordering: .releasing) }
}
