import GarbageCollection
import JSONCoding
import Model
import ResourceClient
import ServiceKit
import TestSupport
import Testing

/// Owners and dependents in two processes: one keeps operations, the other diagnoses.
@Suite struct ForeignOwnerTests {
    private static let diagnoses = APIFixture.diagnoses("kubediag")

    /// - Parameter metrics: of the collector of operations.
    private func withBoth(
        metrics: MetricRegistry = MetricRegistry(),
        _ body: @Sendable (_ operations: APIFixture, _ diagnoses: APIFixture) async throws -> Void
    ) async throws {
        let (firstPlace, secondPlace) = (CollectorPlace(), CollectorPlace())
        try await withAPI(APIOptions(endpoints: [firstPlace.endpoint])) { first in
            try await withAPI(APIOptions(endpoints: [secondPlace.endpoint])) { second in
                let ofOperations = OwnerService(name: "operations", client: first.resourceClient(), definitions: [Operation.definition])
                let ofDiagnoses = OwnerService(name: "diagnoses", client: second.resourceClient(), definitions: [Diagnosis.definition])
                try await first.collecting([Operation.definition], beside: [ofDiagnoses], metrics: metrics, at: firstPlace) {
                    try await second.collecting([Diagnosis.definition], beside: [ofOperations], at: secondPlace) {
                        try await body(first, second)
                    }
                }
            }
        }
    }

    private func isUndecided(_ metrics: MetricRegistry) -> Bool {
        String(decoding: metrics.text(), as: UTF8.self).contains("owned_objects_undecided 1")
    }

    @Test func background() async throws {
        try await withBoth { operations, diagnoses in
            let a = try await operations.make("a")
            try await diagnoses.make(diagnosis("d"), at: Self.diagnoses, owners: [owner(a)])
            try await diagnoses.make(diagnosis("nobodys"), at: Self.diagnoses, owners: [owner("a", uid: "0")])
            #expect(try await diagnoses.isGone("nobodys", at: Self.diagnoses))
            #expect(try await diagnoses.exists("d", at: Self.diagnoses))
            #expect(try await operations.delete("a").status == 200)
            #expect(try await diagnoses.isGone("d", at: Self.diagnoses))
        }
    }

    @Test func foreground() async throws {
        let metrics = MetricRegistry()
        try await withBoth(metrics: metrics) { operations, diagnoses in
            let a = try await operations.make("a")
            try await diagnoses.make(
                diagnosis("d"), at: Self.diagnoses, owners: [owner(a, blocks: true)], finalizers: ["example.org/hold"])
            #expect(try await operations.delete("a", "Foreground").status == 200)
            #expect(try await eventually { try await diagnoses.metadata("d", at: Self.diagnoses)["deletionTimestamp"] != nil })
            #expect(try await eventually { isUndecided(metrics) }, "it has asked, and waits")
            #expect(try await operations.exists("a"))
            try await diagnoses.free("d", at: Self.diagnoses)
            #expect(try await diagnoses.isGone("d", at: Self.diagnoses))
            #expect(try await operations.isGone("a"))
        }
    }

    @Test func orphans() async throws {
        try await withBoth { operations, diagnoses in
            let a = try await operations.make("a")
            try await diagnoses.make(diagnosis("d"), at: Self.diagnoses, owners: [owner(a)])
            #expect(try await operations.delete("a", "Orphan").status == 200)
            #expect(try await operations.isGone("a"))
            let left = try await diagnoses.metadata("d", at: Self.diagnoses)
            #expect(left["name"] == "d" && left["ownerReferences"] == nil)
        }
    }

    @Test func counts() async throws {
        try await withBoth { operations, diagnoses in
            let a = try await operations.make("a")
            try await diagnoses.make(diagnosis("d"), at: Self.diagnoses, owners: [owner(a)])
            try await diagnoses.make(diagnosis("e"), at: Self.diagnoses, owners: [owner(a, blocks: true)])
            let uid = UID(a[path: "metadata", "uid"]?.stringValue ?? "")
            #expect(
                try await eventually {
                    try await diagnoses.resourceClient().dependentCount(of: uid) == DependentCount(dependents: 2, blocking: 1)
                })
            #expect(try await operations.resourceClient().dependentCount(of: uid) == DependentCount(dependents: 0, blocking: 0))
        }
    }

    /// Neither a service that is away nor one that knows nothing of the kind says that an owner is gone.
    @Test(arguments: ["away", "nowhere"]) func whoCannotBeAskedKeepsIt(how: String) async throws {
        try await withAPI { api in
            let client =
                how == "away"
                ? ResourceClient(baseURL: "http://127.0.0.1:1", http: api.client) : api.resourceClient(path: "/nowhere")
            let service = OwnerService(name: "operations", client: client, definitions: [Operation.definition])
            let metrics = MetricRegistry()
            try await api.make(diagnosis("d"), at: Self.diagnoses, owners: [owner("a", uid: "0")])
            try await api.make(diagnosis("parent"), at: Self.diagnoses)
            try await api.collecting([Diagnosis.definition], beside: [service], metrics: metrics) {
                let isLeft = try await eventually { isUndecided(metrics) }
                #expect(isLeft)
                // Operations have no namespace and so never belong to a diagnosis: nobody is asked.
                #expect(try await api.delete("parent", "Foreground", at: Self.diagnoses).status == 200)
                #expect(try await api.isGone("parent", at: Self.diagnoses))
                try await api.make(diagnosis("sentinel"), at: Self.diagnoses, owners: [owner("nobody", uid: "0", kind: "Diagnosis")])
                #expect(try await api.isGone("sentinel", at: Self.diagnoses))
                #expect(try await api.exists("d", at: Self.diagnoses))
            }
        }
    }
}
