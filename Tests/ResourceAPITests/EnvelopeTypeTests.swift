import JSONCoding
import Testing

/// Members of `metadata` that the server decides by, or has its own values for, are held to their types: nothing is passed over in silence.
@Suite struct EnvelopeTypeTests {
    private static let disk = APIFixture.operations + "/disk"
    private static let wrong: [(String, JSON)] = [
        ("name", 1), ("name", ["disk"]), ("generateName", false), ("namespace", 7), ("uid", 5), ("uid", [:]), ("resourceVersion", 1),
        ("creationTimestamp", 1_800_000_000), ("deletionTimestamp", []), ("generation", "2"), ("deletionGracePeriodSeconds", true),
    ]

    private func body(_ members: [String: JSON]) -> JSON {
        var body = operation("disk", script: "other")
        for (member, value) in members { body["metadata"]?[member] = value }
        return body
    }

    @Test func oneAtATime() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            let before = try await api.store.currentRevision()
            for (member, value) in Self.wrong {
                let body = body([member: value])
                let apply = "application/apply-patch+yaml"
                for answer in [
                    try await api.send(.put, Self.disk, body), try await api.send(.put, Self.disk + "/status", body),
                    try await api.patch(Self.disk, ["metadata": [member: value]]),
                    try await api.send(.patch, Self.disk + "?fieldManager=one&force=true", body, type: apply),
                    try await api.send(.post, APIFixture.operations, body),
                ] {
                    #expect(answer.status == 422 && answer.reason == "Invalid", "\(member) \(value): \(answer.status)")
                    #expect(Set(answer.faultPaths) == ["metadata.\(member)"], "\(member) \(value): \(answer.message)")
                }
            }
            #expect(try await api.store.currentRevision() == before, "nothing was changed")
        }
    }

    /// Beside what else is wrong with the object.
    @Test func allAtOnce() async throws {
        try await withAPI { api in
            var body = body(["name": 1, "uid": 2, "generation": "x", "labels": ["a": 1]])
            body["spec"]?["effect"] = "Nope"
            let answer = try await api.send(.post, APIFixture.operations, body)
            #expect(answer.status == 422)
            let expected = ["metadata.generation", "metadata.labels[a]", "metadata.name", "metadata.uid", "spec.effect"]
            #expect(Set(answer.faultPaths).sorted() == expected, "\(answer.message)")
        }
    }

    /// What Kubernetes' clients write for nothing.
    @Test func nullIsNothing() async throws {
        try await withAPI { api in
            let nothing: [String: JSON] = [
                "creationTimestamp": .null, "uid": .null, "resourceVersion": .null, "deletionTimestamp": .null, "generation": .null,
            ]
            try await api.send(.post, APIFixture.operations, body(nothing)).expect(201)
            try await api.send(.put, Self.disk, body(nothing)).expect(200)
        }
    }
}
