import Foundation
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ServiceKit
import TriggerRouterCore

/// The routes of the dead-letter list.
struct DeadLetterEndpoints: Sendable {
    static let pageDefault = 100
    static let pageMax = 1000

    /// Takes a kept message in once more, the way its source does. Throws what the source would answer: a 400 where it still can't be used, a
    /// 503 where it can't be stored now.
    typealias Replay =
        @Sendable (_ letter: DeadLetter, _ body: [UInt8], _ delivery: IntakePipeline.Delivery) async throws(APIError) -> RoutingPlan

    let shelf: DeadLetterShelf
    /// By the letters' source.
    let replays: [String: Replay]

    var all: [Endpoint] {
        let empty = RouteLimits(bodyBytesMax: 0)
        return [
            Endpoint(
                .get, "/api/v1/deadletters", access: [.admin, .service], limits: empty,
                summary: "What could not be used or stored, newest first."
            ) { try await list($0) },
            Endpoint(
                .delete, "/api/v1/deadletters", access: [.admin], limits: empty, summary: "Drops the dead letters that a filter names."
            ) { try await dropMany($0) },
            Endpoint(
                .get, "/api/v1/deadletters/{id}", access: [.admin, .service], limits: empty, summary: "One dead letter with its body."
            ) { try await show($0) },
            Endpoint(.delete, "/api/v1/deadletters/{id}", access: [.admin], limits: empty, summary: "Drops a dead letter.") {
                try await dropOne($0)
            },
            Endpoint(
                .post, "/api/v1/deadletters/{id}/replay", access: [.admin, .service],
                limits: RouteLimits(deadlineSeconds: IntakePipeline.answerSecondsMax),
                summary: "Takes a dead letter in once more; drops it where that succeeds."
            ) { try await replay($0) },
        ]
    }

    private func list(_ call: Call) async throws(APIError) -> Response {
        let filter = try DeadLetterFilter(call.request.query, others: ["limit", "continue"])
        let limit =
            try call.query("limit").map { text throws(APIError) in
                guard let limit = Int(text), limit >= 1 else { throw .badRequest("limit must be a number of 1 or more") }
                return min(limit, Self.pageMax)
            } ?? Self.pageDefault
        let list = try await shelf.page(after: call.query("continue"), limit: limit) { filter.isMet(by: $0) }
        return await (try Self.answer(list)).compressed(for: call.request.headers)
    }

    private func show(_ call: Call) async throws(APIError) -> Response {
        var (letter, body) = try await shelf.letter(call.parameter("id"))
        // A body that is cut may end within a character.
        if let text = String(validating: body, as: UTF8.self) ?? (letter.truncated ? Self.textWithoutCutCharacter(body) : nil) {
            letter.body = text
        } else {
            letter.bodyBase64 = Data(body).base64EncodedString()
        }
        return await (try Self.answer(letter)).compressed(for: call.request.headers)
    }

    private static func textWithoutCutCharacter(_ body: [UInt8]) -> String? {
        for count in 1...3 where body.count > count {
            if let text = String(validating: body.dropLast(count), as: UTF8.self) { return text }
        }
        return nil
    }

    private func dropOne(_ call: Call) async throws(APIError) -> Response {
        let id = call.parameter("id")
        let dropped = try await shelf.drop { $0.id == id }
        guard dropped > 0 else { throw .notFound(kind: "DeadLetter", name: id) }
        return try Self.answer(DeadLetterDeletion(dropped: dropped))
    }

    private func dropMany(_ call: Call) async throws(APIError) -> Response {
        let filter = try DeadLetterFilter(call.request.query, others: ["all"])
        switch call.query("all") {
        case nil, "false":
            guard !filter.isEmpty else { throw .badRequest("say which: source, reason, since or until; or all=true for all of them") }
        case "true":
            guard filter.isEmpty else { throw .badRequest("all=true goes with no other parameter") }
        default: throw .badRequest("all must be true or false")
        }
        return try Self.answer(DeadLetterDeletion(dropped: try await shelf.drop { filter.isMet(by: $0) }))
    }

    private func replay(_ call: Call) async throws(APIError) -> Response {
        let (letter, body) = try await shelf.letter(call.parameter("id"))
        guard !letter.truncated else {
            throw .invalid(
                kind: "DeadLetter", name: letter.id,
                [FieldFault("truncated", .forbidden, "only a part of it was kept, which can't be replayed: send it again at its source")])
        }
        guard let replay = replays[letter.source] else {
            throw .conflict(
                kind: "DeadLetter", name: letter.id,
                "this router has no source \"\(letter.source)\" that could take it in; see its settings")
        }
        let plan: RoutingPlan
        do throws(APIError) {
            plan = try await replay(letter, body, IntakePipeline.Delivery(call, receiver: letter.source))
        } catch {
            guard error.code == 400 else { throw error }
            throw .invalid(kind: "DeadLetter", name: letter.id, [FieldFault("body", .invalid, error.message)])
        }
        if let failure = plan.alerts.lazy.flatMap(\.results).first(where: { $0.outcome == .failed }) {
            throw .invalid(
                kind: "DeadLetter", name: letter.id, [FieldFault("body", .invalid, failure.message ?? failure.reason ?? "it was refused")])
        }
        // Taken in, and durable there: a letter that outlives this is a repeat that the scheduler knows.
        let id = letter.id
        _ = try await shelf.drop { $0.id == id }
        return await AlertReceiver.answer(plan, isLarge: false)
    }

    private static func answer(_ value: some Encodable) throws(APIError) -> Response {
        do {
            return try .encoding(value)
        } catch {
            throw .internalError(cause: "\(error)")
        }
    }
}

/// Which dead letters a request means.
struct DeadLetterFilter: Sendable {
    private let source: String?
    private let reason: String?
    private let since: Timestamp?
    private let until: Timestamp?

    private static let names: Set<String> = ["source", "reason", "since", "until"]

    /// - Parameter others: parameters that the route has beside the filter.
    init(_ query: Query, others: Set<String>) throws(APIError) {
        let names = Self.names.union(others)
        for item in query.items where !names.contains(item.name) {
            throw .badRequest("unknown query parameter \"\(item.name)\"; there are \(names.sorted().joined(separator: ", "))")
        }
        source = query["source"]
        reason = query["reason"]
        since = try query.time("since")
        until = try query.time("until")
    }

    var isEmpty: Bool { source == nil && reason == nil && since == nil && until == nil }

    func isMet(by entry: DeadLetterIndex.Entry) -> Bool {
        (source.map { $0 == entry.source } ?? true) && (reason.map { $0 == entry.reason } ?? true)
            && (since.map { entry.time >= $0 } ?? true) && (until.map { entry.time <= $0 } ?? true)
    }
}

extension Query {
    /// A parameter that is a time; a 400 where it is none.
    func time(_ name: String) throws(APIError) -> Timestamp? {
        guard let text = self[name] else { return nil }
        guard let time = Timestamp(text) else {
            throw .badRequest("\(name) must be a time as in RFC 3339, such as 2026-11-22T19:01:58Z")
        }
        return time
    }
}
