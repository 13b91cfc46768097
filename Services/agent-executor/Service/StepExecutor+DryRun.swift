import AgentExecutorCore
import Digests
import Model

extension StepExecutor {
    /// What a dry run shows of a step, and the file with all of it.
    func show(_ order: Order) async -> (message: String, evidence: [EvidenceItem]) {
        let plan: PlannedStep
        do throws(StepFaultError) {
            plan = try self.plan(order)
        } catch {
            return ("not run; it would fail: \(error.fault.message)", [])
        }
        let folder = EvidenceFolder(path: "\(evidence.root)/\(order.key.uid)")
        let file = "\(order.filePrefix).dry-run"
        let text = redaction.redactor.redacted(plan.text).text
        let bytes = Array(text.utf8)
        guard await evidence.write([(file, bytes)], in: folder) == nil else { return (text, []) }
        let item = EvidenceItem(
            ref: file, path: "\(folder.path)/\(file)", bytes: Int64(bytes.count), operation: order.step.operation, isHostPath: false,
            contentType: EvidenceContentType.text, sha256: Digest.sha256(bytes).hex)
        return (text, [item])
    }

    private func plan(_ order: Order) throws(StepFaultError) -> PlannedStep {
        let execution = order.step.spec.processor.execution
        switch order.step.spec.processor.action {
        case .script(let script):
            _ = try ScriptArguments(keys: script.argKeys ?? [], context: order.context)
            return process(order, user: try users.user(for: execution).name)
        case .function: return process(order, user: try users.user(for: execution).name)
        case .http(let processor):
            if let builtIn = try builtIn(processor) { return .builtIn(order.step, builtIn.plan(try context(of: builtIn, order))) }
            return .call(order.step, context: order.context, method: "POST", url: http.url(of: processor) ?? "this agent")
        case nil: throw StepFaultError(.planInvalid, "the operation has no processor")
        }
    }

    private func process(_ order: Order, user: String) -> PlannedStep {
        .process(order.step, context: order.context, variables: environment(order, home: ""), user: user)
    }
}
