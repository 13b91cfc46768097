import GarbageCollection
import HTTPClient
import JSONCoding
import Logging
import Model
import ResourceClient
import ServiceKit
import Synchronization
import TestSupport
import Testing

extension APIFixture {
    /// Collects the objects of these kinds for as long as `body` runs.
    func collecting(
        _ kinds: [ResourceDefinition] = [Operation.definition, Diagnosis.definition], beside services: [OwnerService] = [],
        metrics: MetricRegistry = MetricRegistry(),
        at place: CollectorPlace = CollectorPlace(), _ body: @Sendable () async throws -> Void
    ) async throws {
        var options = CollectorOptions()
        options.retryMin = .milliseconds(20)
        options.retryMax = .milliseconds(200)
        let collector = OwnershipCollector(
            kinds: kinds, store: store, services: services, metrics: metrics,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            options: options, now: { clock.now })
        place.collector.withLock { $0 = collector }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await collector.run() } catch is CancellationError {}
            }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    func resourceClient(path: String = "") -> ResourceClient {
        let token = token
        return ResourceClient(baseURL: base + path, credentials: .provider { "Bearer \(token)" }, http: client)
    }

    /// Creates an operation with owners, and returns it.
    @discardableResult
    func make(_ name: String, owners: [JSON] = [], finalizers: [String] = []) async throws -> JSON {
        try await make(operation(name), at: Self.operations, owners: owners, finalizers: finalizers)
    }

    @discardableResult
    func make(_ object: JSON, at path: String, owners: [JSON] = [], finalizers: [String] = []) async throws -> JSON {
        var object = object
        if !owners.isEmpty { object["metadata"]?["ownerReferences"] = .array(owners) }
        if !finalizers.isEmpty { object["metadata"]?["finalizers"] = .array(finalizers.map(JSON.string)) }
        let answer = try await send(.post, path, object)
        #expect(answer.status == 201, "\(answer.message)")
        return answer.json
    }

    func exists(_ name: String, at path: String = APIFixture.operations) async throws -> Bool {
        try await send(.get, "\(path)/\(name)").status == 200
    }

    func isGone(_ name: String, at path: String = APIFixture.operations) async throws -> Bool {
        try await eventually { try await send(.get, "\(path)/\(name)").status == 404 }
    }

    func metadata(_ name: String, at path: String = APIFixture.operations) async throws -> JSON {
        try await send(.get, "\(path)/\(name)").json["metadata"] ?? .null
    }

    func delete(_ name: String, _ policy: String? = nil, at path: String = APIFixture.operations) async throws -> Answer {
        guard let policy else { return try await send(.delete, "\(path)/\(name)") }
        return try await send(
            .delete, "\(path)/\(name)", ["kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": .string(policy)])
    }

    /// Whoever holds the object lets go of it.
    func free(_ name: String, at path: String = APIFixture.operations) async throws {
        let kept = try await metadata(name, at: path)["finalizers"]?.arrayValue?.filter { $0 != "example.org/hold" } ?? []
        #expect(try await patch("\(path)/\(name)", ["metadata": ["finalizers": .array(kept)]]).status == 200)
    }
}

/// Where the route of a server finds the collector, which is made after it.
final class CollectorPlace: Sendable {
    let collector = Mutex<OwnershipCollector?>(nil)

    var endpoint: Endpoint {
        OwnershipCollector.endpoint { call in
            guard let collector = self.collector.withLock({ $0 }) else { throw APIError.unavailable("there is no collector yet") }
            return try await collector.endpoint.handler(call)
        }
    }
}

/// A reference to an object as it was stored.
func owner(_ object: JSON, blocks: Bool = false) -> JSON {
    var reference: [String: JSON] = [
        "apiVersion": object["apiVersion"] ?? .null, "kind": object["kind"] ?? .null, "name": object[path: "metadata", "name"] ?? .null,
        "uid": object[path: "metadata", "uid"] ?? .null,
    ]
    if blocks { reference["blockOwnerDeletion"] = true }
    return .object(reference)
}

func owner(_ name: String, uid: String, kind: String = "Operation", apiVersion: String = "diagnosis.kubediag.org/v1") -> JSON {
    ["apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(name), "uid": .string(uid)]
}
