import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model

extension Cluster {
    @discardableResult
    package func send(
        _ name: String, _ method: HTTPMessage.Method, _ path: String, _ body: [UInt8]? = nil, token: String = Cluster.admin,
        type: String = "application/json", timeoutSeconds: Double = 20
    ) async throws -> (status: Int, body: [UInt8]) {
        var request = request(name, method, path, timeoutSeconds: timeoutSeconds)
        request.headers.set("Authorization", "Bearer \(token)")
        if let body {
            request.body = body
            request.headers.set("Content-Type", type)
        }
        let response = try await http.send(request)
        return (response.status, response.body)
    }

    /// The object, or null when there is none.
    package func get(_ owner: String, _ plural: String, _ name: String, namespace: String = "") async throws -> JSON {
        let scope = namespace.isEmpty ? "" : "namespaces/\(namespace)/"
        let response = try await send(owner, .get, "/apis/\(API.groupVersion)/\(scope)\(plural)/\(name)")
        return response.status == 200 ? try JSON(parsing: response.body) : .null
    }

    package func diagnosis(_ name: String) async throws -> JSON {
        try await get("scheduler", "diagnoses", name, namespace: API.defaultNamespace)
    }

    package func diagnoses() async throws -> [JSON] {
        let response = try await send("scheduler", .get, "/apis/\(API.groupVersion)/diagnoses")
        guard response.status == 200 else { throw Failure(description: "list: \(response.status)") }
        return try JSON(parsing: response.body)["items"]?.arrayValue ?? []
    }

    /// Creates an object at its owner.
    package func create(_ kind: String, _ name: String, _ spec: String, namespace: String? = nil) async throws {
        let owners = [
            "Operation": ("graph-builder", "operations"), "OperationSet": ("graph-builder", "operationsets"),
            "Trigger": ("router", "triggers"),
            "Diagnosis": ("scheduler", "diagnoses"),
        ]
        guard let (owner, plural) = owners[kind] else { throw Failure(description: "no owner of \(kind)") }
        let text = #"{"apiVersion":"\#(API.groupVersion)","kind":"\#(kind)","metadata":{"name":"\#(name)"},"spec":\#(spec)}"#
        let scope = kind == "Diagnosis" ? "namespaces/\(namespace ?? API.defaultNamespace)/" : ""
        let response = try await send(owner, .post, "/apis/\(API.groupVersion)/\(scope)\(plural)", Array(text.utf8))
        guard response.status == 201 else {
            throw Failure(description: "create \(kind)/\(name): \(response.status) \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    /// An operation that runs `script`.
    package func createScript(_ name: String, _ script: String, argKeys: [String] = [], timeout: Int = 30, effect: String = "Read")
        async throws
    {
        let text = JSON.string(script).encoded()
        let keys = JSON.array(argKeys.map(JSON.string)).encoded()
        try await create(
            "Operation", name,
            #"{"processor":{"timeoutSeconds":\#(timeout),"scriptRunner":{"script":\#(String(decoding: text, as: UTF8.self)),"argKeys":\#(String(decoding: keys, as: UTF8.self)),"operationResultKey":"\#(name)"}},"effect":"\#(effect)"}"#
        )
    }

    package func createTrigger(_ name: String, alert: String, set: String, _ more: String = "") async throws {
        try await create(
            "Trigger", name,
            #"{"operationSet":"\#(set)","sourceTemplate":{"prometheusAlertTemplate":{"regexp":{"alertName":"^\#(alert)$"},"nodeNameReferenceLabel":"instance","parameterInjectionLabels":["mountpoint"]}}\#(more.isEmpty ? "" : "," + more)}"#
        )
    }

    /// Posts alerts as Alertmanager does and returns the status and what became of each.
    @discardableResult
    package func post(_ alerts: [TestAlert], to router: String = "router") async throws -> (status: Int, answer: JSON) {
        let body = JSON.object([
            "version": .string("4"), "receiver": .string("kubediag"), "status": .string("firing"), "groupKey": .string("{}"),
            "groupLabels": .object([:]), "commonLabels": .object([:]), "commonAnnotations": .object([:]), "externalURL": .string(""),
            "truncatedAlerts": .integer(0), "alerts": .array(alerts.map(\.json)),
        ])
        let response = try await send(router, .post, "/api/v1/receivers/alertmanager", body.encoded(), token: Self.receiver)
        return (response.status, (try? JSON(parsing: response.body)) ?? .null)
    }

    /// Waits until the diagnosis is in one of `phases` and returns it.
    package func wait(_ name: String, for phases: Set<String> = ["Succeeded", "Failed"], seconds: Double = 30) async throws -> JSON {
        var last = JSON.null
        let reached = try await eventually(seconds: seconds) {
            last = try await self.diagnosis(name)
            return phases.contains(last["status"]?["phase"]?.stringValue ?? "")
        }
        guard reached else { throw Failure(description: "\(name) is not in \(phases) but \(last["status"] ?? .null)") }
        return last
    }
}

/// An alert as Alertmanager sends it.
package struct TestAlert: Sendable {
    package var labels: [String: String]
    package var startsAt: String
    package var isResolved = false

    /// - Parameter instance: nil for an alert that is about no machine in particular.
    package init(
        _ name: String, instance: String?, _ labels: [String: String] = [:], startsAt: String = "2026-01-02T03:04:05.678Z",
        isResolved: Bool = false
    ) {
        self.labels = labels.merging(["alertname": name]) { $1 }
        if let instance { self.labels["instance"] = instance }
        self.startsAt = startsAt
        self.isResolved = isResolved
    }

    package var json: JSON {
        .object([
            "status": .string(isResolved ? "resolved" : "firing"), "labels": .object(labels.mapValues(JSON.string)),
            "annotations": .object([:]),
            "startsAt": .string(startsAt), "endsAt": .string(isResolved ? "2026-01-02T04:04:05Z" : "0001-01-01T00:00:00Z"),
            "generatorURL": .string("http://prometheus.example/graph"), "fingerprint": .string("0123456789abcdef"),
        ])
    }
}

extension JSON {
    package var phase: String? { self["status"]?["phase"]?.stringValue }
    package var reason: String? { self["status"]?["reason"]?.stringValue }
    package var steps: [JSON] { self["status"]?["steps"]?.arrayValue ?? [] }
    package var name: String { self["metadata"]?["name"]?.stringValue ?? "" }
    package func result(_ key: String) -> JSON? { self["status"]?["operationResults"]?[key] }
}
