internal import CSpawn
import Glibc
import Synchronization

/// The thread that waits for all children: pipes, pidfds and deadlines on one epoll.
final class ChildLoop: @unchecked Sendable {
    // Unchecked: everything but `inbox` and the two constant descriptors is touched by the loop's thread alone.
    private enum Message: @unchecked Sendable {
        // A child is handed over whole: its sender keeps no reference.
        case adopt(Child)
        case cancel(Run)
        case stop(@Sendable () -> Void)
    }

    private static let wakeToken = UInt64.max

    private let starter: SerialThread
    private let orphans: ProcessRunner.Orphans
    private var adoptsOrphans: Bool { orphans != .leave }
    private let epoll: Int32
    private let wake: Int32
    private let inbox = Mutex<[Message]>([])

    private var children: [UInt64: Child] = [:]
    private var ids: [ObjectIdentifier: UInt64] = [:]
    /// Killed but not yet gone, by token: pid and pidfd.
    private var stuck: [UInt64: (pid: pid_t, pidfd: Int32)] = [:]
    private var lastID: UInt64 = 0
    private var stopping: (@Sendable () -> Void)?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

    init(starter: SerialThread, orphans: ProcessRunner.Orphans) throws(ProcessError) {
        self.starter = starter
        self.orphans = orphans
        epoll = cspawn_epoll()
        wake = cspawn_eventfd()
        guard epoll >= 0, wake >= 0, cspawn_epoll_add(epoll, wake, CSPAWN_READABLE, Self.wakeToken) >= 0 else {
            throw .resourcesExhausted(call: "epoll", errno: EMFILE)
        }
        let context = Unmanaged.passRetained(self)
        let code = cspawn_thread("proc-wait", runChildLoop, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .resourcesExhausted(call: "pthread_create", errno: -code)
        }
    }

    deinit {
        buffer.deallocate()
        if epoll >= 0 { close(epoll) }
        if wake >= 0 { close(wake) }
    }

    func adopt(_ child: Child) { send(.adopt(child)) }
    func cancel(_ run: Run) { send(.cancel(run)) }
    func stop(_ done: @escaping @Sendable () -> Void = {}) { send(.stop(done)) }

    private func send(_ message: Message) {
        let wasEmpty = inbox.withLock { inbox in
            inbox.append(message)
            return inbox.count == 1
        }
        guard wasEmpty else { return }
        var one: UInt64 = 1
        write(wake, &one, 8)
    }

    fileprivate func run() {
        var events = [cspawn_event](repeating: cspawn_event(), count: 64)
        while true {
            let count = cspawn_epoll_wait(epoll, &events, 64, timeoutMilliseconds())
            precondition(count >= 0 || count == -EINTR, "epoll_wait: errno \(-count)")
            for event in events.prefix(Int(max(count, 0))) {
                if event.token == Self.wakeToken { receive() } else { handle(event.token) }
            }
            expire()
            if let stopping, children.isEmpty {
                stopping()
                return
            }
        }
    }

    private func timeoutMilliseconds() -> Int32 {
        guard let first = children.values.compactMap(\.lifecycle.nextDeadline).min() else { return -1 }
        return Int32(clamping: max(0, (first - .now).milliseconds))
    }

    private func receive() {
        var count: UInt64 = 0
        read(wake, &count, 8)
        let messages = inbox.withLock { inbox in
            let taken = inbox
            inbox = []
            return taken
        }
        for message in messages {
            switch message {
            case .adopt(let child): begin(child)
            case .cancel(let run):
                if let id = ids[ObjectIdentifier(run)], let child = children[id] { apply(.cancelled, to: child, id) }
            case .stop(let done):
                stopping = done
                for (id, child) in children { apply(.cancelled, to: child, id) }
            }
        }
    }

    private func begin(_ child: Child) {
        lastID += 1
        let id = lastID
        children[id] = child
        ids[ObjectIdentifier(child.run)] = id
        watch(child.pipes.output.read, .output, id)
        watch(child.pipes.error.read, .error, id)
        if child.pipes.input.write >= 0 { watch(child.pipes.input.write, .input, id) }
        if !watch(child.pidfd, .pidfd, id) {
            // Without a watch its end would go unnoticed: end it now.
            kill(-child.pid, SIGKILL)
            _ = cspawn_pidfd_wait(child.pidfd, 1000)
            apply(.leaderExited, to: child, id)
        }
        if child.run.isCancelled || stopping != nil { apply(.cancelled, to: child, id) }
    }

    @discardableResult
    private func watch(_ fd: Int32, _ channel: Child.Channel, _ id: UInt64) -> Bool {
        let interest = channel == .input ? CSPAWN_WRITABLE : CSPAWN_READABLE
        return cspawn_epoll_add(epoll, fd, interest, id << 2 | channel.rawValue) >= 0
    }

    private func handle(_ token: UInt64) {
        let id = token >> 2
        guard let channel = Child.Channel(rawValue: token & 3) else { return }
        guard let child = children[id] else {
            if channel == .pidfd { reapStuck(token) }
            return
        }
        switch channel {
        case .pidfd:
            _ = cspawn_epoll_remove(epoll, child.pidfd)
            apply(.leaderExited, to: child, id)
        case .input:
            if child.feed() { Pipes.close(&child.pipes.input.write) }
        case .output:
            guard child.drain(.output, buffer) else { return }
            Pipes.close(&child.pipes.output.read)
            if child.arePipesClosed { apply(.pipesClosed, to: child, id) }
        case .error:
            guard child.drain(.error, buffer) else { return }
            Pipes.close(&child.pipes.error.read)
            if child.arePipesClosed { apply(.pipesClosed, to: child, id) }
        }
    }

    private func expire() {
        let now = ContinuousClock.now
        for (id, child) in children {
            if let deadline = child.lifecycle.nextDeadline, deadline <= now { apply(.clock, to: child, id) }
        }
    }

    private func apply(_ event: ChildLifecycle.Event, to child: Child, _ id: UInt64) {
        for action in child.lifecycle.apply(event, at: .now) {
            switch action {
            case .signalGroup(let signal): kill(-child.pid, signal)
            case .endEscaped:
                child.controlGroup?.kill()
                guard adoptsOrphans, let marker = child.marker else { continue }
                let run = child.run
                starter.post { run.escaped.add(OrphanSweep.run(marker: marker, group: nil, endsUnmarked: false), ordering: .relaxed) }
            case .finish: finish(child, id)
            }
        }
    }

    private func finish(_ child: Child, _ id: UInt64) {
        children[id] = nil
        ids[ObjectIdentifier(child.run)] = nil
        child.pipes.closeAll()
        var exit = cspawn_exit()
        let isReaped = cspawn_reap(child.pid, &exit) == 1
        if isReaped {
            Pipes.close(&child.pidfd)
            OrphanSweep.forget(leader: child.pid)
        } else {
            stuck[id << 2] = (child.pid, child.pidfd)
        }
        let outcome = child.outcome(isReaped ? exit : nil)
        let sweeps = adoptsOrphans && OrphanSweep.mayBeNeeded(afterGroup: child.pid)
        guard sweeps || child.controlGroup != nil || child.workFolder != nil else {
            return child.finish(.success(outcome))
        }
        Self.clean(starter, child, outcome, sweeps: sweeps, endsUnmarked: orphans == .endAll)
    }

    /// The slow part of an end: search and remove, on the starter's thread.
    private static func clean(_ starter: SerialThread, _ child: Child, _ outcome: ProcessOutcome, sweeps: Bool, endsUnmarked: Bool) {
        let (run, marker, group, folder, finish) = (child.run, child.marker, child.pid, child.workFolder, child.finish)
        let controlGroup = child.controlGroup
        let work: @Sendable () -> Void = {
            var outcome = outcome
            outcome.memoryKillCount = controlGroup?.end() ?? 0
            if sweeps { run.escaped.add(OrphanSweep.run(marker: marker, group: group, endsUnmarked: endsUnmarked), ordering: .relaxed) }
            outcome.escapedCount = run.escaped.load(ordering: .relaxed)
            folder?.clear()
            finish(.success(outcome))
        }
        if !starter.post(work) { work() }
    }

    private func reapStuck(_ token: UInt64) {
        guard let entry = stuck.removeValue(forKey: token) else { return }
        var exit = cspawn_exit()
        _ = cspawn_reap(entry.pid, &exit)
        OrphanSweep.forget(leader: entry.pid)
        close(entry.pidfd)
    }
}

private func runChildLoop(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<ChildLoop>.fromOpaque(context).takeRetainedValue().run()
}
