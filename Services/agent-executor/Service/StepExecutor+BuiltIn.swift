import AgentExecutorCore
import AgentOperations
import Glibc
import Model
import ProcessRunner
import Synchronization

extension StepExecutor {
    /// The built-in operation that a processor means; nil where it means a server.
    func builtIn(_ processor: HTTPProcessor) throws(StepFaultError) -> BuiltIn? {
        guard let path = processor.path, path.hasPrefix(BuiltInDeclaration.pathPrefix), http.isOwn(processor) else { return nil }
        let name = String(path.dropFirst(BuiltInDeclaration.pathPrefix.count))
        if let builtIn = builtIns[name] { return builtIn }
        let nearest = builtIns.nearest(to: name).map { "; did you mean \($0)?" } ?? ""
        throw StepFaultError(.planInvalid, "this agent has no built-in operation \"\(Text.firstLine(name, charactersMax: 80))\"\(nearest)")
    }

    func run(_ builtIn: BuiltIn, _ order: Order, _ folder: EvidenceFolder) async throws(StepFaultError) -> Execution {
        let names = PlacedNames()
        let context = try context(of: builtIn, order, folder: place(for: order, folder, names))
        let outcome: BuiltInOutcome
        do throws(BuiltInFault) {
            outcome = try await BuiltInExecution(builtIn, context, on: host, marker: marker(order)).run()
        } catch {
            var execution = Execution(end: .failed([], error.stepFault(isCutByDeadline: order.isCutByDeadline)))
            // As much as there is of a capture or a core may tell what the fault does not.
            let files = names.all.map { EvidenceFile($0, contentType: EvidenceContentType.binary) }
            execution.evidence = files.compactMap { Self.item($0, order, folder) }.filter { $0.bytes > 0 }
            return execution
        }
        let values = outcome.values(of: builtIn.declaration).map { (key: $0.key, value: $0.value.json) }
        var execution = await settle(values, order, folder)
        execution.evidence += outcome.files.compactMap { Self.item($0, order, folder) }
        if let ruledOut = outcome.ruledOut { execution.end = .ruledOut(execution.end.results, StepFault(.ruledOut, ruledOut)) }
        return execution
    }

    /// What the built-in is told. Throws where the operation's effect is less than what the built-in does, and for wrong parameters.
    func context(
        of builtIn: BuiltIn, _ order: Order, folder: EvidenceFolderAccess? = nil
    ) throws(StepFaultError) -> BuiltInContext {
        let effect = order.step.spec.effectiveEffect
        guard effect.rank >= builtIn.declaration.effect.rank else {
            throw StepFaultError(
                .planInvalid,
                "the operation's effect is \(effect.rawValue), but what \(builtIn.name) does is \(builtIn.declaration.effect.rawValue)")
        }
        do throws(BuiltInFault) {
            return try BuiltInContext(
                builtIn.declaration, values: order.context.values, callerValues: order.job.parameters,
                defaults: order.step.spec.parameters ?? [:],
                timeoutSeconds: order.step.timeoutSeconds, folder: folder)
        } catch {
            let fault = error.stepFault(isCutByDeadline: order.isCutByDeadline)
            throw StepFaultError(fault.reason, fault.message)
        }
    }

    /// Where the execution may leave files, and notes their names.
    private func place(for order: Order, _ folder: EvidenceFolder, _ names: PlacedNames) -> EvidenceFolderAccess {
        EvidenceFolderAccess(bytesMax: evidence.stepBytesMax) { name throws(BuiltInFault) in
            do throws(DiskFault) {
                try folder.make()
            } catch {
                throw .unavailable("the file can't be kept: \(error)")
            }
            let path = "\(folder.writePath)/\(order.filePrefix).\(name)"
            // An execution that an earlier agent had begun may have left a file of that name.
            unlink(path)
            names.add(name)
            return path
        }
    }

    /// A file that the operation says it left; nil where there is none.
    private static func item(_ file: AgentOperations.EvidenceFile, _ order: Order, _ folder: EvidenceFolder) -> EvidenceItem? {
        let name = "\(order.filePrefix).\(file.name)"
        var info = stat()
        guard lstat("\(folder.writePath)/\(name)", &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return EvidenceItem(
            ref: name, path: "\(folder.path)/\(name)", bytes: Int64(info.st_size), operation: order.step.operation,
            isHostPath: folder.isHostPath, contentType: file.contentType)
    }
}

/// The names of files that an execution was given a place for.
private final class PlacedNames: Sendable {
    private let names = Mutex<[String]>([])

    var all: [String] { names.withLock { $0 } }

    func add(_ name: String) {
        names.withLock { if !$0.contains(name) { $0.append(name) } }
    }
}

extension Effect {
    /// What may do more has the higher rank.
    var rank: Int {
        switch self {
        case .read: 0
        case .mutate: 1
        case .destroy: 2
        }
    }
}

extension BuiltInFault {
    func stepFault(isCutByDeadline: Bool) -> StepFault {
        let reason: StepFault.Reason =
            switch self {
            case .parametersInvalid: .argumentInvalid
            case .toolMissing: .programNotFound
            case .privilegeMissing: .accessDenied
            case .unreadable, .unavailable: .unavailable
            case .timedOut: isCutByDeadline ? .deadlineExceeded : .timedOut
            case .failed: .checkFailed
            case .cancelled: .cancelled
            }
        return StepFault(reason, message)
    }
}
