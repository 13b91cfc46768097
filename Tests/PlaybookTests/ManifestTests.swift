import JSONCoding
import Model
import TestSupport
import Testing

/// What holds for all playbooks, read from the system that took them.
@Suite(.serialized) struct ManifestTests {
    @Test func allAreAdmittedReadyAndSafe() async throws {
        let cluster = try await Cluster()
        try await cluster.applyPlaybooks()
        #expect(try Playbooks.files.count >= 15)
        let sets = try await readySets(cluster)
        for file in try Playbooks.files {
            let kinds = try Playbooks.documents(file).map(\.kind)
            #expect(kinds.contains("OperationSet") && kinds.contains("Trigger"), "\(file)")
        }

        var effects: [String: String] = [:]
        for operation in try await cluster.list("graph-builder", "operations") {
            effects[operation["metadata"]?["name"]?.stringValue ?? ""] = operation["spec"]?["effect"]?.stringValue
        }
        for set in sets {
            let name = set["metadata"]?["name"]?.stringValue ?? ""
            for path in set["status"]?["paths"]?.arrayValue ?? [] {
                let operations = path.arrayValue?.compactMap { $0["operation"]?.stringValue } ?? []
                guard let repair = operations.firstIndex(where: { effects[$0] != "Read" }) else { continue }
                #expect(operations[..<repair].contains { $0.hasPrefix("approve-") }, "\(name): \(operations[repair]) needs no approval")
                #expect(effects[operations[repair]] != nil, "\(name): \(operations[repair]) is unknown")
            }
        }
        try await cluster.stop()
    }

    private func readySets(_ cluster: Cluster) async throws -> [JSON] {
        var sets: [JSON] = []
        let areReady = try await eventually {
            sets = try await cluster.list("graph-builder", "operationsets")
            return sets.allSatisfy { $0["status"]?["ready"] == true }
        }
        #expect(areReady, "\(sets.filter { $0["status"]?["ready"] != true }.map { $0["status"] ?? .null })")
        return sets
    }
}
