import AgentExecutorCore
import JSONCoding
import Model
import ProcessRunner

extension StepExecutor {
    private static let python = "/usr/bin/python3"

    /// Hands the context to `handle` and its answer back on what was stdout; what the function prints goes to stderr.
    private static let launcher = """
        import json, os, sys
        answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        sys.path.insert(0, os.environ["HOME"])
        context = json.load(sys.stdin)
        from handler import handle
        result = handle(context)
        json.dump({} if result is None else result, answer)
        answer.close()
        """

    func run(_ function: FunctionProcessor, _ order: Order, _ folder: EvidenceFolder) async throws(StepFaultError) -> Execution {
        guard function.runtime == "python3" else {
            throw StepFaultError(.runtimeUnsupported, "runtime \"\(function.runtime)\" is not carried out here; python3 is")
        }
        guard function.codeSource["handler.py"] != nil else {
            throw StepFaultError(.planInvalid, "a python3 function needs a file handler.py with handle(context)")
        }
        var files: [WorkFolder.File] = []
        for (name, text) in function.codeSource.sorted(by: { $0.key < $1.key }) {
            guard PathText.isPlainName(name) else {
                throw StepFaultError(.planInvalid, "\"\(name)\" is no name of a source file")
            }
            files.append(WorkFolder.File(name: name, content: Array(text.utf8)))
        }
        let order = try readable(order)
        let command = ProcessCommand(.file(Self.python), arguments: ["-B", "-c", Self.launcher])
        let outcome = try await perform(command, files: files, headBytesMax: Self.functionBytesMax, order, folder)
        return await judge(outcome, order, folder)
    }

    private func judge(_ raw: ProcessOutcome, _ order: Order, _ folder: EvidenceFolder) async -> Execution {
        var execution = Execution(end: .found([]))
        let (outcome, kept) = await settle(raw, order, folder)
        execution.evidence = kept.items
        execution.redactions = kept.redactions
        var errors: [StepResult] = []
        if outcome.standardError.totalBytes > 0 {
            let key = "operation.\(order.step.operation).stderr"
            errors.append(result(key: key, "stderr", outcome.standardError, order, kept))
        }
        if let fault = fault(of: outcome, order) {
            execution.end = .failed(errors, fault)
            return execution
        }
        guard raw.standardOutput.isComplete else {
            let message = "the function returned \(raw.standardOutput.totalBytes) bytes; at most \(Self.functionBytesMax) are taken"
            execution.end = .failed(errors, StepFault(.responseInvalid, message))
            return execution
        }
        let answer = await answer(raw.standardOutput.bytes, order, folder)
        execution.evidence += answer.evidence
        execution.note = answer.note ?? limits.remark(order.step.spec.processor.execution?.limits)
        switch answer.end {
        case .found(let results): execution.end = .found(results + errors)
        case .ruledOut(let results, let fault): execution.end = .ruledOut(results + errors, fault)
        case .failed(let results, let fault): execution.end = .failed(results + errors, fault)
        }
        return execution
    }
}
