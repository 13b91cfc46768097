import HTTPServer
import JSONCoding
import Model
import ServiceKit
import TriggerRouterCore

/// Takes alerts in, and answers only what is true.
///
/// 2xx: all that can be stored is stored. 503: send it again; what was stored meanwhile is remembered, so a repeat asks for the rest alone.
/// 400: this is no list of alerts and never will be.
struct AlertReceiver: Sendable {
    /// Who sends, and in what shape.
    enum Sender: String, Sendable {
        case alertmanager
        case prometheus

        func parse(_ body: [UInt8]) throws(AlertPayloadError) -> AlertPayload {
            switch self {
            case .alertmanager: try AlertPayload(webhook: body)
            case .prometheus: try AlertPayload(postedAlerts: body)
            }
        }
    }

    /// Bodies that are larger are parsed, and their answers written, away from the handlers' threads.
    static let largeBodyBytes = 256 << 10

    let pipeline: IntakePipeline

    func receive(_ call: Call, from sender: Sender) async throws(APIError) -> Response {
        let body = call.request.body
        pipeline.metrics.countRequest(bytes: body.count)
        var truncatedCount: Int64 = 0
        let plan = try await pipeline.take(IntakePipeline.Delivery(call, receiver: sender.rawValue)) { () async throws(APIError) in
            let payload = try await Self.parse(body, sender)
            truncatedCount = payload.truncatedCount
            return payload.alerts
        }
        return await Self.answer(plan, truncatedCount: truncatedCount, isLarge: body.count > Self.largeBodyBytes)
    }

    private static func parse(_ body: [UInt8], _ sender: Sender) async throws(APIError) -> AlertPayload {
        let parsed: Result<AlertPayload, AlertPayloadError>
        if body.count > largeBodyBytes {
            parsed = await ComputeQueue.documents.run { Result { () throws(AlertPayloadError) in try sender.parse(body) } }
        } else {
            parsed = Result { () throws(AlertPayloadError) in try sender.parse(body) }
        }
        do throws(AlertPayloadError) {
            return try parsed.get()
        } catch {
            throw .badRequest(error.description)
        }
    }

    static func answer(
        _ plan: RoutingPlan, truncatedCount: Int64 = 0, unusable: [UnusableItem] = [], isLarge: Bool
    ) async -> Response {
        let write: @Sendable () -> [UInt8] = {
            ReceiverAnswer(plan, truncatedCount: truncatedCount, unusable: unusable).encoded.encoded()
        }
        return .json(isLarge ? await ComputeQueue.documents.run(write) : write())
    }
}
