import Logging
import ResourceStoreSQLite
import ServiceKit
import Synchronization

/// Opens the store of a service in its data directory, measured.
public enum ServiceStore {
    /// Opens the SQLite store in `--data-dir` and reports on every commit: `store_commit_duration_seconds`, `store_commit_transactions`,
    /// `store_commit_failures_total` and `store_queue_depth`.
    ///
    /// Throws `ConfigurationFaults` without a data directory, `SQLiteStoreOpenError` when the store can't be opened.
    public static func open(
        _ context: ServiceContext, configure: (inout SQLiteStoreConfiguration) -> Void = { _ in }
    ) throws -> SQLiteStore {
        var configuration = SQLiteStoreConfiguration(directory: try context.requiredDataDirectory())
        configure(&configuration)
        configuration.observer = observer(context)
        return try SQLiteStore(configuration: configuration)
    }

    private static func observer(_ context: ServiceContext) -> @Sendable (GroupCommit) -> Void {
        let metrics = context.metrics
        let logger = context.logger
        let duration = metrics.histogram(
            "store_commit_duration_seconds", help: "Time from taking a group of transactions to its durability.")
        let size = metrics.histogram(
            "store_commit_transactions", help: "Transactions that shared a commit.", bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
        let failures = metrics.counter("store_commit_failures_total", help: "Commits that the storage refused.")
        let depth = metrics.gauge("store_queue_depth", help: "Transactions waiting for the writer.")
        let isFailing = Mutex(false)
        return { commit in
            duration.observe(commit.duration.secondsValue)
            size.observe(Double(commit.transactions))
            depth.set(commit.queueDepth)
            if commit.failure != nil { failures.increment() }
            // A full disk fails every commit: the log says when it begins and when it ends.
            let changed = isFailing.withLock { failing in
                defer { failing = commit.failure != nil }
                return failing != (commit.failure != nil)
            }
            guard changed else { return }
            if let failure = commit.failure {
                logger.error("store refuses writes", metadata: ["cause": "\(failure)"])
            } else {
                logger.info("store takes writes again")
            }
        }
    }
}
