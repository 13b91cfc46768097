import AgentExecutorCore
import AgentOperations
import Digests
import HTTPClient
import JSONCoding
import Logging
import Model
import ProcessRunner

/// Carries out one execution of one step: a script, a function or a call of a processor.
struct StepExecutor: Sendable {
    /// What an execution came to, and the files it left.
    struct Execution: Sendable {
        var end: StepEnd
        var evidence: [EvidenceItem] = []
        /// Something worth saying although the step did its work.
        var note: String?
        /// False where it was cancelled before anything was started.
        var hasBegun = true
        /// Secrets that were replaced in what it put out.
        var redactions = 0
    }

    /// Everything that an execution is told.
    struct Order: Sendable {
        let key: JobKey
        let job: Job
        let step: JobRun.StepStart
        private let results: ResultBook
        private(set) var context: StepContext
        private(set) var contextJSON: [UInt8]
        /// Files with whole results that its user is given to read, by their names in the folder for it.
        private(set) var given: [String: String] = [:]
        /// What its folder is called, in 128 random bits: scripts of one user can look into each other's folders where they know the name.
        let folderName = Digest.randomToken(byteCount: 16)

        init(key: JobKey, job: Job, step: JobRun.StepStart, results: ResultBook) {
            self.key = key
            self.job = job
            self.step = step
            self.results = results
            context = StepContext(job: job, results: results)
            contextJSON = JSON.object(context.values.mapValues { .string($0) }).encoded()
        }

        /// The same for a user who can't read this agent's files: those with whole results are given to it in a folder.
        func reading(from folder: String) -> Order {
            var order = self
            var paths: [String: String] = [:]
            for (index, (key, path)) in results.wholePaths.sorted(by: { $0.key < $1.key }).enumerated() {
                let name = "\(index)-\(FileName.safe(key))"
                order.given[name] = path
                paths[key] = "\(folder)/\(name)"
            }
            order.context = StepContext(job: job, results: results, paths: paths)
            order.contextJSON = JSON.object(order.context.values.mapValues { .string($0) }).encoded()
            return order
        }

        /// The beginning of the names of this execution's files: dispatch attempt, step and execution.
        var filePrefix: String { "\(key.attempt).\(step.vertex)-\(FileName.safe(step.operation)).\(step.attempt)" }

        /// Names the execution for whoever comes after a crash.
        var trace: ExecutionTrace { ExecutionTrace(key: key, step: BegunStep(vertex: step.vertex, attempt: step.attempt)) }
    }

    static let markerName = "KUBEDIAG_RUN"
    /// What the markers of an agent's processes begin with.
    static func family(_ journal: JournalID) -> String { "\(journal)/" }

    let runner: ProcessRunner
    let http: ProcessorClient
    let evidence: EvidenceStore
    let redaction: OutputRedaction
    /// The folder of the executions' own folders.
    let runRoot: String
    let users: StepUsers
    let limits: StepLimits
    let journalID: JournalID
    let builtIns: BuiltInCatalogue
    /// The machine, for the built-in operations.
    let host: Host

    func execute(_ order: Order) async -> Execution { redaction.clean(await carryOut(order)) }

    private func carryOut(_ order: Order) async -> Execution {
        do throws(StepFaultError) {
            let folder = try await evidence.folder(for: order.key.uid, hostPath: order.step.spec.storage?.hostPath?.path)
            switch order.step.spec.processor.action {
            case .script(let script): return try await run(script, order, folder)
            case .function(let function): return try await run(function, order, folder)
            case .http(let processor):
                if let builtIn = try builtIn(processor) { return try await run(builtIn, order, folder) }
                return await call(processor, order, folder)
            case nil: return Execution(end: .failed(.planInvalid, "the operation has no processor"))
            }
        } catch {
            // What is cancelled once it runs has an outcome.
            return Execution(end: .failed([], error.fault), hasBegun: error.fault.reason != .cancelled)
        }
    }

    func marker(_ order: Order) -> ProcessMarker {
        ProcessMarker(
            name: Self.markerName, family: Self.family(journalID),
            value: "\(order.key.uid)/\(order.key.attempt)/\(order.step.vertex)/\(order.step.attempt)")
    }
}

/// Names one execution of one step in a word.
struct ExecutionTrace: Sendable, Hashable {
    let key: JobKey
    let step: BegunStep

    var text: String { "\(key.uid).\(key.attempt).\(step.vertex).\(step.attempt)" }

    init(key: JobKey, step: BegunStep) {
        self.key = key
        self.step = step
    }

    init?(parsing text: String) {
        let parts = text.split(separator: ".")
        guard parts.count == 4, let attempt = Int(parts[1]), let vertex = Int(parts[2]), let execution = Int(parts[3]) else { return nil }
        key = JobKey(uid: UID(String(parts[0])), attempt: attempt)
        step = BegunStep(vertex: vertex, attempt: execution)
    }
}

/// Names of files made from names of operations and results.
enum FileName {
    static func safe(_ text: String, bytesMax: Int = 80) -> String {
        let bytes = text.utf8.prefix(bytesMax).map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E: byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
