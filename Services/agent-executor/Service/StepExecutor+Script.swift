import AgentExecutorCore
import Digests
import Glibc
import Model
import ProcessRunner

extension StepExecutor {
    /// The status by which a script says that what it looked for is not there.
    static let ruledOutStatus: Int32 = 10

    private static let headBytesMax = 32 * 1024
    private static let tailBytesMax = 1024

    func run(_ script: ScriptProcessor, _ order: Order, _ folder: EvidenceFolder) async throws(StepFaultError) -> Execution {
        let order = try readable(order)
        var command = ProcessCommand(.script(Array(script.script.utf8)))
        command.arguments = try ScriptArguments(keys: script.argKeys ?? [], context: order.context).values
        let outcome = try await perform(command, files: [], order, folder)
        return await judge(outcome, key: script.operationResultKey ?? order.step.operation, order, folder)
    }

    /// Runs a command with the step's environment, input, time and files.
    func perform(
        _ base: ProcessCommand, files: [WorkFolder.File], headBytesMax: Int = headBytesMax, _ order: Order, _ folder: EvidenceFolder
    ) async throws(StepFaultError) -> ProcessOutcome {
        let execution = order.step.spec.processor.execution
        let user = try users.user(for: execution)
        var workFolder = workFolder(order)
        workFolder.files = files
        workFolder.given = order.given
        var command = base
        command.run(as: user, from: users.own)
        command.environment = environment(order, home: workFolder.work)
        command.workingDirectory = execution?.workingDirectory
        limits.bound(&command, by: execution?.limits, name: "\(journalID).\(order.trace.text)")
        command.standardInput = order.contextJSON
        command.timeout = .seconds(order.step.timeoutSeconds)
        command.limits.headBytesMax = headBytesMax
        command.limits.tailBytesMax = Self.tailBytesMax
        command.workFolder = workFolder
        // A storage root gets every file; below the data directory a file that fits into memory is written after the step.
        command.outputFiles = OutputFiles(bytesMax: evidence.stepBytesMax, isForOverflowOnly: !folder.isHostPath) { stream in
            do throws(DiskFault) {
                try folder.make()
            } catch {
                return nil
            }
            return "\(folder.writePath)/\(order.filePrefix).\(stream == .standardOutput ? "stdout" : "stderr")"
        }
        command.marker = marker(order)
        do throws(ProcessError) {
            return try await runner.run(command)
        } catch {
            throw Self.fault(of: error, user)
        }
    }

    private func workFolder(_ order: Order) -> WorkFolder {
        WorkFolder(path: "\(runRoot)/\(order.folderName)", leaderNote: order.trace.text)
    }

    /// The order with nothing in it that its user can't read.
    func readable(_ order: Order) throws(StepFaultError) -> Order {
        let user = try users.user(for: order.step.spec.processor.execution)
        return user.userID == users.own.userID ? order : order.reading(from: workFolder(order).givenFolder)
    }

    func environment(_ order: Order, home: String) -> [String: String] {
        ScriptEnvironment(
            job: order.job, operation: order.step.operation, spec: order.step.spec, stepAttempt: order.step.attempt, home: home
        ).variables
    }

    private static func fault(of error: ProcessError, _ user: ProcessUser) -> StepFaultError {
        switch error {
        case .programNotFound(let path): StepFaultError(.programNotFound, "\(path) is not there")
        case .accessDenied(let path): StepFaultError(.startFailed, "\(path) may not be executed by \(user.name)")
        case .notExecutable(let path): StepFaultError(.startFailed, "\(path) is no program of this machine")
        case .argumentsTooLarge:
            StepFaultError(.argumentTooLarge, "the arguments and the environment together are larger than exec takes; read them from stdin")
        case .argumentInvalid(let what): StepFaultError(.argumentInvalid, what)
        case .workingDirectoryUnusable(let path, let code):
            StepFaultError(.startFailed, "chdir: \(path): \(String(cString: strerror(code))) (as \(user.name))")
        case .workFolderUnusable(let path, let code): StepFaultError(.startFailed, "\(path): \(String(cString: strerror(code)))")
        case .resourcesExhausted(let call, let code), .system(let call, let code):
            StepFaultError(.startFailed, "\(call): \(String(cString: strerror(code)))")
        case .cancelledBeforeStart, .closed: StepFaultError(.cancelled, "cancelled before it was started")
        }
    }

    private func judge(_ raw: ProcessOutcome, key: String, _ order: Order, _ folder: EvidenceFolder) async -> Execution {
        var execution = Execution(end: .found([]))
        let (outcome, kept) = await settle(raw, order, folder)
        execution.evidence = kept.items
        execution.redactions = kept.redactions
        execution.note = note(raw, kept.fault) ?? limits.remark(order.step.spec.processor.execution?.limits)
        var results = [result(key: "operation.\(key).output", "stdout", outcome.standardOutput, order, kept)]
        if outcome.standardError.totalBytes > 0 {
            results.append(result(key: "operation.\(key).stderr", "stderr", outcome.standardError, order, kept))
        }
        guard let fault = fault(of: outcome, order) else {
            execution.end = .found(results)
            return execution
        }
        results.append(StepResult(key: "operation.\(key).error", text: Self.exitReason(outcome, order)))
        execution.end = fault.reason == .ruledOut ? .ruledOut(results, fault) : .failed(results, fault)
        return execution
    }

    /// Files of a step's streams: those that were written meanwhile, and those that are written now.
    struct KeptOutput: Sendable {
        var items: [EvidenceItem] = []
        var fault: DiskFault?
        var redactions = 0
    }

    /// The outcome without secrets, and its files.
    func settle(
        _ raw: ProcessOutcome, _ order: Order, _ folder: EvidenceFolder
    ) async -> (outcome: ProcessOutcome, kept: KeptOutput) {
        let prefix = "\(folder.writePath)/\(order.filePrefix)"
        let output = await redaction.clean(raw.standardOutput, path: "\(prefix).stdout")
        let error = await redaction.clean(raw.standardError, path: "\(prefix).stderr")
        var outcome = raw
        outcome.standardOutput = output.output
        outcome.standardError = error.output
        return (outcome, await keep([("stdout", output), ("stderr", error)], order, folder))
    }

    private func keep(
        _ streams: [(name: String, stream: OutputRedaction.Stream)], _ order: Order, _ folder: EvidenceFolder
    ) async -> KeptOutput {
        var kept = KeptOutput()
        var files: [(name: String, bytes: [UInt8])] = []
        for (name, stream) in streams where stream.output.totalBytes > 0 {
            let (output, file) = (stream.output, "\(order.filePrefix).\(name)")
            kept.redactions += stream.redactions ?? 0
            kept.fault = kept.fault ?? stream.fault
            if output.fileBytes == 0, output.isComplete { files.append((file, output.bytes)) }
            guard output.fileBytes > 0 || output.isComplete else { continue }
            let isInMemory = output.isComplete && (output.fileBytes == 0 || output.fileBytes == output.totalBytes)
            let digest = isInMemory ? Digest.sha256(output.bytes).hex : await evidence.digest("\(folder.writePath)/\(file)")
            kept.items.append(
                EvidenceItem(
                    ref: file, path: "\(folder.path)/\(file)", bytes: output.fileBytes > 0 ? output.fileBytes : output.totalBytes,
                    operation: order.step.operation, isHostPath: folder.isHostPath,
                    contentType: stream.isBinary ? EvidenceContentType.binary : EvidenceContentType.text, sha256: digest,
                    redactions: stream.redactions))
        }
        guard !files.isEmpty else { return kept }
        let fault = await evidence.write(files, in: folder)
        kept.fault = kept.fault ?? fault
        if fault != nil { kept.items.removeAll { item in files.contains { $0.name == item.ref } } }
        return kept
    }

    func result(
        key: String, _ name: String, _ output: CapturedOutput, _ order: Order, _ kept: KeptOutput
    ) -> StepResult {
        let text = Text.repaired(output.head, isCut: !output.isComplete || !output.tail.isEmpty)
        let isComplete = output.totalBytes == Int64(output.head.count)
        let file = "\(order.filePrefix).\(name)"
        // A short value is always kept whole: nobody will ask for its digest.
        guard let item = kept.items.first(where: { $0.ref == file }), !isComplete || text.utf8.count > ResultBook.alwaysInlineBytesMax
        else {
            return StepResult(key: key, text: text, isComplete: isComplete)
        }
        let whole = item.sha256.map { StepResult.Whole(size: Int(item.bytes), sha256: $0, evidenceRef: item.ref, path: item.path) }
        return StepResult(key: key, text: text, whole: whole, isComplete: isComplete)
    }

    func fault(of outcome: ProcessOutcome, _ order: Order) -> StepFault? {
        let reason: StepFault.Reason
        if outcome.memoryKillCount > 0, outcome.cause == .byItself, !outcome.isSuccess {
            return limits.outOfMemory(order.step.spec.processor.execution?.limits)
        }
        switch (outcome.cause, outcome.termination) {
        case (.cancelled, _): return StepFault(.cancelled, "cancelled while it ran")
        case (.timedOut, _): reason = order.isCutByDeadline ? .deadlineExceeded : .timedOut
        case (_, .exited(0)): return nil
        case (_, .exited(Self.ruledOutStatus)): return StepFault(.ruledOut, Self.lastLine(outcome) ?? "exit status 10")
        case (_, .exited): reason = .exitStatus
        case (_, .signaled): reason = .signaled
        case (_, .stuck): reason = .stuck
        }
        let said = Self.lastLine(outcome).map { ": \($0)" } ?? ""
        return StepFault(reason, Self.exitReason(outcome, order) + said)
    }

    /// How it ended, in words.
    private static func exitReason(_ outcome: ProcessOutcome, _ order: Order) -> String {
        let signal = outcome.wasKilled ? "SIGKILL" : "SIGTERM"
        switch (outcome.cause, outcome.termination) {
        case (.cancelled, _): return "cancelled"
        case (.timedOut, .stuck): return "timed out and can't be killed: it hangs in the kernel"
        case (.timedOut, _):
            let seconds = Int(order.step.timeoutSeconds)
            return order.isCutByDeadline
                ? "ended by the diagnosis' deadline after \(seconds) s (\(signal))" : "timed out after \(seconds) s (\(signal))"
        case (_, .exited(let status)): return "exit status \(status)"
        case (_, .signaled(let number, let dumped)):
            return "ended by signal \(number) (\(String(cString: strsignal(number))))\(dumped ? ", core dumped" : "")"
        case (_, .stuck): return "can't be killed: it hangs in the kernel"
        }
    }

    /// The last line that it said, on stderr if there is one.
    private static func lastLine(_ outcome: ProcessOutcome) -> String? {
        for output in [outcome.standardError, outcome.standardOutput] {
            let end = output.tail.isEmpty ? Array(output.head.suffix(1024)) : output.tail
            let lines = Text.repaired(end, isCut: false).split(whereSeparator: \.isNewline)
            for line in lines.reversed() {
                let text = Text.firstLine(String(line), charactersMax: 200)
                if !text.isEmpty { return text }
            }
        }
        return nil
    }

    private func note(_ outcome: ProcessOutcome, _ fault: DiskFault?) -> String? {
        if let fault = outcome.outputFileFault ?? fault?.description { return "its output could not be kept whole: \(fault)" }
        let total = outcome.standardOutput.totalBytes + outcome.standardError.totalBytes
        return total > evidence.stepBytesMax ? "it put out \(total) bytes, of which \(evidence.stepBytesMax) are kept" : nil
    }
}

extension StepExecutor.Order {
    /// Whether the diagnosis' deadline leaves it less time than its own timeout.
    var isCutByDeadline: Bool { step.timeoutSeconds < Double(step.spec.processor.effectiveTimeoutSeconds) }
}
