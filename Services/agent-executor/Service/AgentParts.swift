import AgentExecutorCore
import AgentOperations
import HTTPClient
import HTTPServer
import JSONCoding
import KubernetesConnection
import Logging
import Model
import ProcessRunner
import Redaction
import ResourceStore
import ServiceKit

/// The parts of an agent and how they hang together.
struct AgentParts: Sendable {
    let assembly: ServiceAssembly

    init(
        _ context: ServiceContext, identity: AgentIdentity, directory: String, store: any ResourceStore, condition: HealthCondition
    ) async throws {
        let configuration = context.configuration
        let logger = context.logger
        let (journal, dropped) = try await Journal.open(store: store, directory: directory)
        if let dropped {
            logger.warning(
                "the data directory is a copy: it begins a journal of its own, and the copied jobs are left to the original",
                metadata: ["dropped": .stringConvertible(dropped), "journal": "\(journal.identity.journalID)"])
        }
        let runner = try ProcessRunner(orphans: .endAll)
        let disk = try SerialThread(name: "evidence")
        let http = try HTTPClient()
        let users = try StepUsers(configuration)
        let limits = try StepLimits(configuration, logger)
        let folders = try AgentFolders(directory, run: RunFolder(configuration, directory, users, journal.identity.journalID))
        let evidence = EvidenceStore(
            root: folders.evidence, storageRoots: configuration[AgentSettings.storageRoots],
            stepBytesMax: Int64(configuration[AgentSettings.evidenceStepMax].bytes), disk: disk)
        let desk = JobDesk(limits: JobDesk.Limits(queuedMax: configuration[AgentSettings.queuedJobsMax]))
        let begun = await Leftovers(folders: folders, runner: runner, logger: logger).end(
            journal.identity.journalID, isCopy: dropped != nil)
        if let groups = limits.groups {
            let prefix = "\(journal.identity.journalID)."
            _ = await disk.perform { groups.endLeftovers(prefix: prefix) }
        }
        try await Restoration(journal: journal, desk: desk, logger: logger).perform(begun)

        let standing = Standing()
        let metrics = AgentMetrics(context.metrics, controllers: limits.groups?.controllers ?? [])
        let settler = Settler(
            desk: desk, journal: journal, evidence: evidence,
            retention: EvidenceRetention(
                seconds: configuration[AgentSettings.evidenceAge].secondsValue,
                bytesMax: Int64(configuration[AgentSettings.evidenceBytesMax].bytes), jobsMax: configuration[AgentSettings.finishedJobsMax]),
            logger: logger)
        let scheduler = ServiceClient(http: http, base: configuration[AgentSettings.scheduler], token: context.clientToken)
        let reporter = Reporter(
            desk: desk, journal: journal, standing: standing, scheduler: scheduler, settler: settler,
            bytesMax: configuration[AgentSettings.reportBytesMax].bytes, metrics: metrics, logger: logger)
        let processors = ProcessorClient(http: http)
        let kubernetes = try KubernetesConnection(context)
        let host = Host(
            files: try HostFiles(root: configuration[AgentSettings.hostRoot]),
            tools: HostTools(runner: runner, folders: configuration[AgentSettings.toolFolders]), http: http,
            readers: ReaderThreads())
        let builtIns = BuiltInOperations.catalogue(kubernetes: kubernetes, node: identity.node.rawValue)
        let executor = StepExecutor(
            runner: runner, http: processors, evidence: evidence,
            redaction: OutputRedaction(
                redactor: try Redactor(patterns: configuration[AgentSettings.redactPatterns].patterns), disk: disk, metrics: metrics),
            runRoot: folders.run.path, users: users, limits: limits, journalID: journal.identity.journalID, builtIns: builtIns, host: host)
        let turns = NodeTurns()
        let jobs = JobRunner(
            desk: desk, turns: turns, journal: journal, executor: executor, standing: standing, reporter: reporter, metrics: metrics,
            logger: logger)
        let intake = JobIntake(desk: desk, journal: journal, standing: standing, node: identity.node, logger: logger)
        let jobsMax = configuration[AgentSettings.jobsMax]
        let steps = StopSwitch()
        let builtInEndpoints = BuiltInEndpoints(
            builtIns: builtIns, host: host, redaction: executor.redaction, journalID: journal.identity.journalID, turns: turns)
        assembly = ServiceAssembly(
            endpoints: AgentEndpoints(
                intake: intake, desk: desk,
                evidence: EvidenceEndpoints(node: identity.node, desk: desk, journal: journal, settler: settler, store: evidence),
                builtIns: builtInEndpoints
            ).all,
            background: { bound in
                if let own = AdvertisedAddress.own(bound) { processors.setOwnAddress(own) }
                let registration = AgentRegistration(
                    journalId: journal.identity.journalID, address: AdvertisedAddress.url(configuration, bound: bound),
                    aliases: [], capacity: jobsMax, version: ProductVersion.text, stepLimits: limits.support)
                let registrar = Registrar(
                    registration: registration, identity: identity, scheduler: scheduler, standing: standing, desk: desk,
                    reporter: reporter, intake: intake, condition: condition, logger: logger)
                return [
                    BackgroundLoop { await settler.run() },
                    BackgroundLoop { await reporter.run() },
                    BackgroundLoop { await registrar.run() },
                    BackgroundLoop(mayEndEarly: true) {
                        await steps.run {
                            await withDiscardingTaskGroup { group in
                                group.addTask { await jobs.endStopped() }
                                for _ in 0..<jobsMax { group.addTask { await jobs.work() } }
                            }
                        }
                    },
                ]
            },
            // The scheduler calls this agent by the address that it was told.
            hosts: configuration[AgentSettings.advertiseAddress].map { [$0.host] } ?? [],
            // A process may take seconds to end: those of steps and of calls are ended while the server drains, not after it.
            stopping: {
                steps.stop()
                builtInEndpoints.stop()
            },
            close: {
                await runner.shutdown()
                await http.shutdown()
                await kubernetes?.shutdown()
                await store.close()
                folders.run.leave()
                disk.close()
            })
    }
}

/// Takes up what the journal holds.
struct Restoration: Sendable {
    let journal: Journal
    let desk: JobDesk
    let logger: Logger

    func perform(_ begun: [JobKey: [BegunStep]]) async throws {
        let tombstones = try await journal.all(Journal.Bucket.tombstones, as: Tombstone.self)
        let finished = try await journal.all(Journal.Bucket.finished, as: FinishedJob.self) { job in
            SettledJob(attempt: job.attempt, endedAt: job.endedAt, bytes: job.evidence.reduce(0) { $0 + $1.bytes })
        }
        await desk.restore(
            settled: Dictionary(finished.map { (UID($0.key), $0.value) }) { first, _ in first },
            tombstones: Dictionary(tombstones.map { (UID($0.key), $0.value.attempt) }) { max($0, $1) })
        let progress = Dictionary(
            try await journal.all(Journal.Bucket.progress, as: JobJournalEntry.self).map { ($0.key, $0.value) }
        ) { first, _ in first }
        var orphans = Set(progress.keys)
        var resumed = 0
        let now = AgentClock.now()
        for (text, job) in try await journal.all(Journal.Bucket.jobs, as: Job.self) {
            guard let key = JobKey(parsing: text), let entry = progress[text] else { continue }
            orphans.remove(text)
            let run = JobRun(restoring: entry.progress, begun: begun[key] ?? [], job: job, clock: entry.clock, at: now)
            // The traces are gone from the disk now; what they told must not be.
            if begun[key] != nil {
                try await journal.save(key, JobJournalEntry(clock: entry.clock, progress: run.progress, evidence: entry.evidence))
            }
            await desk.restore(key, job, clock: entry.clock, run: run, evidence: entry.evidence)
            resumed += 1
        }
        for text in orphans {
            try await journal.store.transact([.deleteRecord(bucket: Journal.Bucket.progress, key: text)])
        }
        if resumed > 0 { logger.info("jobs taken up again", metadata: ["count": .stringConvertible(resumed)]) }
    }
}
