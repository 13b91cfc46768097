import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ServiceKit
import TriggerRouterCore

/// Takes in CloudEvents 1.0 over HTTP, each of which asks for a diagnosis: the structured mode, the binary one, and batches
/// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
///
/// 2xx: the diagnoses are stored. 503: send it again; an event is known by its source and id, so a repeat does nothing twice. Of a batch, what
/// can't be used is a dead letter where the rest is stored.
struct CloudEventReceiver: Sendable {
    static let structuredType = "application/cloudevents+json"
    static let batchType = "application/cloudevents-batch+json"
    /// Events of a batch at most.
    static let eventsMax = 1000

    let pipeline: IntakePipeline
    let deadLetters: DeadLetterShelf

    func receive(_ call: Call) async throws(APIError) -> Response {
        pipeline.metrics.countRequest(bytes: call.request.body.count)
        let delivery = IntakePipeline.Delivery(call, receiver: CloudEvent.source)
        do throws(APIError) {
            let response = try await take(call, delivery)
            pipeline.metrics.countAnswer(isSuccess: true, since: delivery.start)
            return response
        } catch {
            pipeline.metrics.countAnswer(isSuccess: false, since: delivery.start)
            await pipeline.noteRefusal(error, delivery)
            throw error
        }
    }

    private func take(_ call: Call, _ delivery: IntakePipeline.Delivery) async throws(APIError) -> Response {
        let isLarge = call.request.body.count > AlertReceiver.largeBodyBytes
        switch MediaType.essence(call.request.headers["Content-Type"] ?? "") {
        case Self.batchType:
            guard case .array(let items) = try await Self.json(call, isLarge: isLarge) else {
                throw .badRequest("a batch is an array of CloudEvents")
            }
            guard items.count <= Self.eventsMax else {
                throw .badRequest("a request has at most \(Self.eventsMax) CloudEvents, not \(items.count)")
            }
            return try await take(batch: items, delivery, isLarge: isLarge)
        case Self.structuredType:
            try Self.checkSize(call)
            return try await take(.structured(try await Self.json(call, isLarge: isLarge)), delivery, isLarge: isLarge)
        default:
            try Self.checkSize(call)
            let attributes = try Self.attributes(call.request.headers)
            let reading = MessageReading { () throws(EventFault) in
                try CloudEvent(binary: call.request.body, contentType: call.request.headers["Content-Type"], prefix: "ce-") {
                    attributes[$0]
                }
            }
            return try await take(reading, delivery, isLarge: isLarge)
        }
    }

    private static func checkSize(_ call: Call) throws(APIError) {
        let (size, most) = (call.request.body.count, SourceMessage.valueBytesMax)
        if size > most { throw .tooLarge("an event has at most \(most) bytes, not \(size)") }
    }

    private static func json(_ call: Call, isLarge: Bool) async throws(APIError) -> JSON {
        guard isLarge else { return try call.json() }
        return try await ComputeQueue.documents.run { Result { () throws(APIError) in try call.json() } }.get()
    }

    /// The attributes of the binary mode.
    private static func attributes(_ headers: Headers) throws(APIError) -> [String: String] {
        let fields = [
            ("specversion", headers.all("ce-specversion")), ("id", headers.all("ce-id")), ("source", headers.all("ce-source")),
            ("type", headers.all("ce-type")),
        ]
        var attributes: [String: String] = [:]
        for (name, values) in fields {
            guard let value = values.first else { continue }
            guard values.count == 1 else { throw .badRequest("ce-\(name): is there \(values.count) times") }
            guard let text = PercentEncoding.decode(unquoted(value)) else {
                throw .badRequest("ce-\(name): has a malformed percent-encoding")
            }
            attributes[name] = text
        }
        return attributes
    }

    /// A value in double quotes is what stands in them, before it is percent-decoded (3.1.3.2 of the binding).
    private static func unquoted(_ value: String) -> String {
        guard value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else { return value }
        var text = ""
        var isEscaped = false
        for character in value.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                text.append(character)
                isEscaped = false
            }
        }
        return text
    }

    // MARK: One event

    private func take(_ reading: MessageReading, _ delivery: IntakePipeline.Delivery, isLarge: Bool) async throws(APIError) -> Response {
        if let fault = reading.fault { throw .badRequest(fault.description) }
        return await AlertReceiver.answer(try await store([reading], delivery), isLarge: isLarge)
    }

    /// Stores what is asked for. Throws a 503 where any of it is to be sent again.
    private func store(_ readings: [MessageReading], _ delivery: IntakePipeline.Delivery) async throws(APIError) -> RoutingPlan {
        pipeline.metrics.alerts.increment(by: readings.count)
        let (plan, retryAfterSeconds) = await pipeline.take(readings, delivery)
        pipeline.metrics.count(plan.totals)
        for result in plan.alerts.flatMap(\.results) where result.isUnavailable || result.outcome == .suppressed {
            let seconds = result.until.map { Int(max(1, $0.seconds(since: delivery.time)).rounded(.up)) }
            throw .unavailable(
                result.message ?? "it can't be stored now",
                retryAfterSeconds: retryAfterSeconds ?? seconds ?? IntakePipeline.retryAfterSecondsDefault)
        }
        if plan.alerts.count == 1, let refused = plan.alerts[0].results.first, refused.outcome == .failed {
            throw APIError(code: 422, reason: "Invalid", message: refused.message ?? "the scheduler refused it")
        }
        return plan
    }

    // MARK: Batches

    private func take(batch items: [JSON], _ delivery: IntakePipeline.Delivery, isLarge: Bool) async throws(APIError) -> Response {
        let readings = await ComputeQueue.documents.run { items.map(MessageReading.structured) }
        let faults = readings.enumerated().filter { $0.element.fault != nil }
        if let first = faults.first, let fault = first.element.fault, faults.count == readings.count || !deadLetters.canKeep {
            throw .badRequest(fault.placed(at: first.offset).description)
        }
        let plan = try await store(readings, delivery)
        var unusable: [(index: Int, message: UnusableMessage)] = []
        for (index, alert) in plan.alerts.enumerated() {
            guard let result = alert.results.first, result.outcome == .failed else { continue }
            let message = UnusableMessage(
                source: CloudEvent.source, position: Self.position(items[index]),
                reason: readings[index].fault == nil ? .rejected : .malformed,
                message: result.message ?? result.reason ?? "it was refused",
                headers: [("content-type", Self.structuredType), ("traceparent", delivery.trace.traceparent)], body: items[index].encoded())
            unusable.append((index, message))
        }
        if let first = unusable.first, !deadLetters.canKeep {
            // The others are stored: told again they are duplicates.
            throw APIError(code: 422, reason: "Invalid", message: "[\(first.index)]: \(first.message.message)")
        }
        let kept = try await deadLetters.keep(unusable, at: delivery.time)
        return await AlertReceiver.answer(plan, unusable: kept, isLarge: isLarge)
    }

    /// What an event is known by, as far as it says so.
    private static func position(_ item: JSON) -> [String: String] {
        ["source": item["source"]?.stringValue, "id": item["id"]?.stringValue].compactMapValues { $0 }
    }

    /// Takes a dead letter in once more.
    func replay(_ letter: DeadLetter, _ body: [UInt8], _ delivery: IntakePipeline.Delivery) async throws(APIError) -> RoutingPlan {
        let reading = MessageReading.structured(try EventReceiver.json(body))
        if let fault = reading.fault { throw .badRequest(fault.description) }
        return try await store([reading], delivery)
    }
}

extension MessageReading {
    fileprivate static func structured(_ json: JSON) -> MessageReading {
        MessageReading { () throws(EventFault) in try CloudEvent(structured: json) }
    }
}
