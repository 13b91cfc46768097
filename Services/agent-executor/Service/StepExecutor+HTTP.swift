import AgentExecutorCore
import Digests
import HTTPClient
import JSONCoding
import Model

extension StepExecutor {
    /// By which a processor or a function says that what it looked for is not there.
    static let outcomeKey = "kubediag.outcome"

    func call(_ processor: HTTPProcessor, _ order: Order, _ folder: EvidenceFolder) async -> Execution {
        let response: ClientResponse
        do throws(HTTPClientError) {
            response = try await http.call(
                processor, body: order.contextJSON, timeoutSeconds: order.step.timeoutSeconds, traceparent: order.job.traceparent)
        } catch {
            return Execution(end: .failed([], Self.fault(of: error, order)))
        }
        guard response.status == 200 else { return Execution(end: Self.refusal(response)) }
        if response.body.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) { return Execution(end: .found([])) }
        return await answer(response.body, order, folder, mayRuleOut: false)
    }

    static var functionBytesMax: Int { ProcessorClient.responseBytesMax }

    /// Reads an answer's JSON object: its members become results, strings as they are and others as their JSON text.
    func answer(_ body: [UInt8], _ order: Order, _ folder: EvidenceFolder, mayRuleOut: Bool = true) async -> Execution {
        let members: [String: JSON]
        do throws(JSON.ParseError) {
            guard case .object(let object) = try JSON(parsing: body) else {
                return Execution(end: .failed(.responseInvalid, "the answer is JSON, but no object"))
            }
            members = object
        } catch {
            return Execution(end: .failed(.responseInvalid, "the answer is not JSON: \(error)"))
        }
        var execution = Execution(end: .found([]))
        var results: [StepResult] = []
        for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
            if mayRuleOut, member.key == Self.outcomeKey { continue }
            let text = if case .string(let text) = member.value { text } else { String(decoding: member.value.encoded(), as: UTF8.self) }
            let (result, item) = await keep(member.key, text, index, order, folder)
            results.append(result)
            if let item { execution.evidence.append(item) }
        }
        let isRuledOut = mayRuleOut && members[Self.outcomeKey] == .string("ruledOut")
        execution.end = isRuledOut ? .ruledOut(results, StepFault(.ruledOut, "ruled out")) : .found(results)
        return execution
    }

    /// A value that may be cut gets a file of its own.
    private func keep(
        _ key: String, _ text: String, _ index: Int, _ order: Order, _ folder: EvidenceFolder
    ) async -> (StepResult, EvidenceItem?) {
        guard text.utf8.count > ResultBook.alwaysInlineBytesMax else { return (StepResult(key: key, text: text), nil) }
        let file = "\(order.filePrefix).\(index)-\(FileName.safe(key))"
        guard let bytes = await evidence.write(text, to: "\(folder.openPath)/\(file)") else {
            return (StepResult(key: key, text: text), nil)
        }
        let item = EvidenceItem(
            ref: "\(order.key.attempt)/\(file)", path: "\(folder.path)/\(file)", bytes: bytes, operation: order.step.operation,
            isHostPath: folder.isHostPath)
        let whole = StepResult.Whole(size: Int(bytes), sha256: Digest.sha256(text).hex, evidenceRef: item.ref, path: item.path)
        return (StepResult(key: key, text: text, whole: whole), item)
    }

    private static func refusal(_ response: ClientResponse) -> StepEnd {
        let said = Text.firstLine(Text.repaired(Array(response.body.prefix(2048)), isCut: true), charactersMax: 300)
        let message = "status \(response.status)\(said.isEmpty ? "" : ": \(said)")"
        if case .object(let members)? = parsed(response.body), members[outcomeKey] == .string("ruledOut") {
            return .ruledOut([], StepFault(.ruledOut, message))
        }
        return .failed(.httpStatus, message)
    }

    /// The body of a refusal may be anything.
    private static func parsed(_ body: [UInt8]) -> JSON? {
        do throws(JSON.ParseError) {
            return try JSON(parsing: body)
        } catch {
            return nil
        }
    }

    private static func fault(of error: HTTPClientError, _ order: Order) -> StepFault {
        switch error {
        case .cancelled: StepFault(.cancelled, "cancelled while it ran")
        case .timedOut(let phase, _):
            order.isCutByDeadline
                ? StepFault(.deadlineExceeded, "ended by the diagnosis' deadline after \(Int(order.step.timeoutSeconds)) s")
                : StepFault(.timedOut, "timed out after \(Int(order.step.timeoutSeconds)) s, waiting for: \(phase.rawValue)")
        case .responseTooLarge, .protocolError: StepFault(.responseInvalid, error.description)
        default: StepFault(.httpFailed, error.description)
        }
    }
}
