/// Work that the engine hands out and does not wait for: child tasks of one `run`, ended with it.
struct WorkLane: Sendable {
    typealias Job = @Sendable () async -> Void

    private let jobs: AsyncStream<Job>
    private let continuation: AsyncStream<Job>.Continuation

    init() {
        (jobs, continuation) = AsyncStream.makeStream(of: Job.self)
    }

    /// Bounded by what the engine admits: at most a few jobs for each unfinished diagnosis and agent.
    func submit(_ job: @escaping Job) {
        continuation.yield(job)
    }

    /// Performs the jobs until the task is cancelled, then waits for those that are under way, which are cancelled too.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs {
                group.addTask(operation: job)
            }
            group.cancelAll()
        }
    }
}
