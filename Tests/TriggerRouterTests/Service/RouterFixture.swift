import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterService

let base = "/apis/diagnosis.kubediag.org/v1"

/// A trigger-router on real sockets with a peer at the scheduler's place.
struct RouterFixture {
    let peer: IntakePeer
    let router: RunningService

    init(settings: [String] = [], schedulerURL: String? = nil) async throws {
        peer = try IntakePeer()
        router = try await RunningService(TriggerRouter.program, settings: ["--scheduler-url", schedulerURL ?? peer.url] + settings)
    }

    func stop() async {
        await router.stop()
        await peer.stop()
    }

    @discardableResult
    func apply(_ trigger: Trigger) async throws -> (status: Int, headers: Headers, body: JSON?) {
        var json = try JSON(encoding: trigger)
        json["metadata"]?["uid"] = nil
        return try await router.send(.post, "\(base)/triggers", json)
    }

    /// Posts alerts as Alertmanager does.
    func post(
        _ alerts: [JSON], to path: String = "/api/v1/receivers/alertmanager", headers: [(String, String)] = []
    ) async throws -> (status: Int, headers: Headers, body: JSON?) {
        let body: JSON = path.hasSuffix("alertmanager") ? ["version": "4", "alerts": .array(alerts)] : .array(alerts)
        return try await router.send(.post, path, body, headers: headers, token: RunningService.receiverToken)
    }

    /// Posts bytes that need not be JSON.
    func post(raw body: String) async throws -> (status: Int, body: JSON?) {
        var request = ClientRequest(method: .post, url: router.url + "/api/v1/receivers/alertmanager", body: Array(body.utf8))
        request.headers.set("Authorization", "Bearer \(RunningService.receiverToken)")
        request.headers.set("Content-Type", "application/json")
        let response = try await router.http.send(request)
        return (response.status, try? JSON(parsing: response.body))
    }

    func answer(_ alerts: [JSON]) async throws -> ReceiverAnswer {
        let response = try await post(alerts)
        #expect(response.status == 200, "\(String(describing: response.body))")
        return try #require(response.body).decode(ReceiverAnswer.self)
    }

    func decisions(_ query: String = "") async throws -> DecisionList {
        try #require(try await router.send(.get, "/api/v1/decisions\(query)").body).decode(DecisionList.self)
    }
}

func alertJSON(_ name: String, _ labels: [String: String] = [:], status: String = "firing", startsAt: String = "2026-11-22T19:01:58.659Z")
    -> JSON
{
    var labels = labels.mapValues(JSON.string)
    labels["alertname"] = .string(name)
    return .object([
        "status": .string(status), "labels": .object(labels), "annotations": ["summary": "x"], "startsAt": .string(startsAt),
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "0011223344556677",
    ])
}
