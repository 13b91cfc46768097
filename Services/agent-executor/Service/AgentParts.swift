import AgentExecutorCore
import HTTPClient
import HTTPServer
import JSONCoding
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
        let folders = try AgentFolders(directory)
        let evidence = EvidenceStore(
            root: folders.evidence, storageRoots: configuration[AgentSettings.storageRoots],
            stepBytesMax: Int64(configuration[AgentSettings.evidenceStepMax].bytes), disk: disk)
        let desk = JobDesk(limits: JobDesk.Limits(queuedMax: configuration[AgentSettings.queuedJobsMax]))
        let begun = await Leftovers(folders: folders, runner: runner, logger: logger).end(
            journal.identity.journalID, isCopy: dropped != nil)
        try await Restoration(journal: journal, desk: desk, logger: logger).perform(begun)

        let standing = Standing()
        let metrics = AgentMetrics(context.metrics)
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
        let processors = ProcessorClient(http: http, token: context.clientToken)
        let executor = StepExecutor(
            runner: runner, http: processors, evidence: evidence,
            redaction: OutputRedaction(
                redactor: try Redactor(patterns: configuration[AgentSettings.redactPatterns].patterns), disk: disk, metrics: metrics),
            runRoot: folders.run, journalID: journal.identity.journalID)
        let jobs = JobRunner(
            desk: desk, journal: journal, executor: executor, standing: standing, reporter: reporter, metrics: metrics, logger: logger)
        let intake = JobIntake(desk: desk, journal: journal, standing: standing, node: identity.node, logger: logger)
        let jobsMax = configuration[AgentSettings.jobsMax]
        assembly = ServiceAssembly(
            endpoints: AgentEndpoints(
                intake: intake, desk: desk,
                evidence: EvidenceEndpoints(node: identity.node, desk: desk, journal: journal, settler: settler, store: evidence)
            ).all,
            background: { bound in
                if let own = AdvertisedAddress.own(bound) { processors.setOwnAddress(own) }
                let registration = AgentRegistration(
                    journalId: journal.identity.journalID, address: AdvertisedAddress.url(configuration, bound: bound),
                    aliases: identity.aliases, capacity: jobsMax, version: ProductVersion.text)
                let registrar = Registrar(
                    registration: registration, node: identity.node, scheduler: scheduler, standing: standing, desk: desk,
                    reporter: reporter, intake: intake, condition: condition, logger: logger)
                return [
                    BackgroundLoop { await settler.run() },
                    BackgroundLoop { await reporter.run() },
                    BackgroundLoop { await registrar.run() },
                    BackgroundLoop {
                        await withDiscardingTaskGroup { group in
                            group.addTask { await jobs.endStopped() }
                            for slot in 0..<jobsMax { group.addTask { await jobs.work(slot: slot) } }
                        }
                    },
                ]
            },
            // The scheduler calls this agent by the address that it was told.
            hosts: configuration[AgentSettings.advertiseAddress].map { [$0.host] } ?? [],
            close: {
                await runner.shutdown()
                await http.shutdown()
                await store.close()
                disk.close()
            })
    }
}

/// The folders below the data directory.
struct AgentFolders: Sendable {
    /// The executions' own folders, each gone with its execution.
    let run: String
    let evidence: String

    init(_ directory: String) throws(DiskFault) {
        run = "\(directory)/run"
        evidence = "\(directory)/evidence"
        try FileTree.make(run)
        try FileTree.make(evidence)
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
        let names = FileTree.names(in: folders.run)
        // What a copy tells of may be running right now, for the original.
        if isCopy {
            for name in names { _ = FileTree.remove("\(folders.run)/\(name)") }
            return [:]
        }
        for record in names.compactMap({ LeaderRecord(folder: "\(folders.run)/\($0)") }) {
            if let leader = record.leader { leaders.append(leader) }
            guard let trace = ExecutionTrace(parsing: record.note) else { continue }
            begun[trace.key, default: []].append(trace.step)
        }
        let killed = await runner.endLeftovers(
            markerName: StepExecutor.markerName, valuePrefix: "\(journal)/", leaders: leaders)
        if killed > 0 { logger.warning("processes of an earlier run were ended", metadata: ["count": .stringConvertible(killed)]) }
        for name in names { _ = FileTree.remove("\(folders.run)/\(name)") }
        return begun
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
