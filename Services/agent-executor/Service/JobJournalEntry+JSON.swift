import AgentExecutorCore
import JSONCoding
import Model

// An entry is written with every step, so it is put together by hand: a fifth of what the generic encoder takes. It is read, once a
// start, by the generic decoder.
extension JobJournalEntry {
    func encoded() -> [UInt8] {
        JSON.object(["clock": clock.json, "progress": progress.json, "evidence": .array(evidence.map(\.json))]).encoded()
    }
}

extension JobClock {
    fileprivate var json: JSON {
        .object([
            "acceptedAt": .object([
                "wall": .string(acceptedAt.wall.description), "uptimeMicroseconds": .integer(acceptedAt.uptimeMicroseconds),
                "bootID": .string(acceptedAt.bootID),
            ]), "remainingSeconds": .number(remainingSeconds), "notAfterSeconds": .number(notAfterSeconds),
        ])
    }
}

extension JobProgress {
    fileprivate var json: JSON {
        var members: [String: JSON] = [
            "steps": .array(steps.map(\.json)), "results": .object(results.mapValues(\.json)),
            "wholePaths": .object(wholePaths.mapValues { .string($0) }),
        ]
        if let end { members["end"] = end.json }
        return .object(members)
    }
}

extension StepRecord {
    fileprivate var json: JSON {
        var members: [String: JSON] = [
            "vertex": .integer(Int64(vertex)), "operation": .string(operation), "phase": .string(phase.rawValue),
            "attempt": .integer(Int64(attempt)),
        ]
        if let outcome { members["outcome"] = .string(outcome.rawValue) }
        if let startTime { members["startTime"] = .string(startTime.description) }
        if let completionTime { members["completionTime"] = .string(completionTime.description) }
        if let reason { members["reason"] = .string(reason) }
        if let message { members["message"] = .string(message) }
        if let headline { members["headline"] = .string(headline) }
        if let notBeforeSeconds { members["notBeforeSeconds"] = .number(notBeforeSeconds) }
        return .object(members)
    }
}

extension ResultValue {
    fileprivate var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .reference(let reference):
            .object([
                "preview": .string(reference.preview), "size": .integer(Int64(reference.size)), "sha256": .string(reference.sha256),
                "evidenceRef": .string(reference.evidenceRef),
            ])
        }
    }
}

extension JobEnd {
    fileprivate var json: JSON {
        var members: [String: JSON] = ["succeeded": .bool(succeeded)]
        if let reason { members["reason"] = .string(reason.rawValue) }
        if let message { members["message"] = .string(message) }
        if let summary { members["summary"] = .string(summary) }
        if let path { members["path"] = .array(path.map { .integer(Int64($0)) }) }
        return .object(members)
    }
}
