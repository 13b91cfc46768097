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
        return await answer(response.body, order, folder)
    }

    static var functionBytesMax: Int { ProcessorClient.responseBytesMax }

    /// Reads an answer's JSON object: its members become results, strings as they are and others as their JSON text.
    func answer(_ body: [UInt8], _ order: Order, _ folder: EvidenceFolder) async -> Execution {
        let members: [String: JSON]
        do throws(JSON.ParseError) {
            guard case .object(let object) = try JSON(parsing: body) else {
                return Execution(end: .failed(.responseInvalid, "the answer is JSON, but no object"))
            }
            members = object
        } catch {
            return Execution(end: .failed(.responseInvalid, "the answer is not JSON: \(error)"))
        }
        let values = members.sorted { $0.key < $1.key }.filter { $0.key != Self.outcomeKey }.map { (key: $0.key, value: $0.value) }
        var execution = await settle(values, order, folder)
        if members[Self.outcomeKey] == .string("ruledOut") {
            execution.end = .ruledOut(execution.end.results, StepFault(.ruledOut, "ruled out"))
        }
        return execution
    }

    /// Makes results of values, strings as they are and others as their JSON text, and keeps those that may be cut.
    func settle(_ members: [(key: String, value: JSON)], _ order: Order, _ folder: EvidenceFolder) async -> Execution {
        var execution = Execution(end: .found([]))
        let clean = await redaction.clean(Dictionary(members.map { ($0.key, $0.value) }) { _, last in last })
        let values = members.compactMap { key, _ -> Value? in
            guard let member = clean[key] else { return nil }
            let text = if case .string(let text) = member.value { text } else { String(decoding: member.value.encoded(), as: UTF8.self) }
            return Value(key: key, text: text, redactions: member.redactions)
        }
        execution.redactions = values.reduce(0) { $0 + $1.redactions }
        let kept = await keep(values, order, folder)
        execution.evidence = kept.items
        execution.note = kept.fault.map { "its results could not be kept whole: \($0)" }
        let files = Dictionary(kept.items.map { ($0.ref, $0) }) { first, _ in first }
        let results = values.enumerated().map { index, value in
            let item = files[Self.fileName(index, value.key, order)]
            let whole = item.flatMap { item in
                item.sha256.map { StepResult.Whole(size: Int(item.bytes), sha256: $0, evidenceRef: item.ref, path: item.path) }
            }
            return StepResult(key: value.key, text: value.text, whole: whole)
        }
        execution.end = .found(results)
        return execution
    }

    /// A member of an answer, without its secrets.
    private struct Value {
        let key: String
        let text: String
        let redactions: Int
    }

    private static func fileName(_ index: Int, _ key: String, _ order: Order) -> String {
        "\(order.filePrefix).\(index)-\(FileName.safe(key))"
    }

    /// Values that may be cut get a file each; on a storage root every value does. Those past the number that a diagnosis can have get none.
    private func keep(_ values: [Value], _ order: Order, _ folder: EvidenceFolder) async -> KeptOutput {
        var kept = KeptOutput()
        var files: [(name: String, bytes: [UInt8])] = []
        for (index, value) in values.prefix(ResultBook.keysMax).enumerated()
        where folder.isHostPath || value.text.utf8.count > ResultBook.alwaysInlineBytesMax {
            let file = Self.fileName(index, value.key, order)
            files.append((file, Array(value.text.utf8)))
            kept.items.append(
                EvidenceItem(
                    ref: file, path: "\(folder.path)/\(file)", bytes: Int64(value.text.utf8.count), operation: order.step.operation,
                    isHostPath: folder.isHostPath, contentType: EvidenceContentType.ofValue(value.text),
                    sha256: Digest.sha256(value.text).hex, redactions: value.redactions))
        }
        guard !files.isEmpty else { return kept }
        kept.fault = await evidence.write(files, in: folder)
        if kept.fault != nil { kept.items = [] }
        return kept
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
