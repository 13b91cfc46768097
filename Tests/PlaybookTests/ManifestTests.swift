import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// What holds for all playbooks, read from the system that took them.
@Suite(.serialized) struct ManifestTests {
    @Test func allAreAdmittedReadyAndSafe() async throws {
        try await Cluster.withPlaybooks { cluster in
            #expect(try Playbooks.files.count >= 15)
            let sets = try await readySets(cluster)
            for file in try Playbooks.files {
                let kinds = try Playbooks.documents(file).map(\.kind)
                #expect(kinds.contains("OperationSet") && kinds.contains("Trigger"), "\(file)")
            }

            for set in sets {
                let written = try Playbooks.account("deploy/playbooks/\(set.name).yaml").paths
                #expect(written == Self.paths(set), "\(set.name): its head says other paths")
            }
            for trigger in try await cluster.list("router", "triggers") {
                let spec = trigger["spec"] ?? .null
                let injected = spec["sourceTemplate"]?["prometheusAlertTemplate"]?["parameterInjectionLabels"]?.arrayValue ?? []
                let given = [spec["parameters"], spec["parameterLabels"]].flatMap { $0?.objectValue?.keys.map(JSON.string) ?? [] }
                #expect(!(injected + given).contains("approve"), "\(trigger.name) approves a repair")
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
        }
    }

    /// As a reader writes them: `a → (b) → c`, where the path goes on without `b`.
    private static func paths(_ set: JSON) -> [String] {
        let optional = (set["spec"]?["adjacencyList"]?.arrayValue ?? []).filter { $0["continueOnFailure"] == true }.map { $0["id"] }
        return (set["status"]?["paths"]?.arrayValue ?? []).map { path in
            (path.arrayValue ?? []).map { step in
                let operation = step["operation"]?.stringValue ?? ""
                return optional.contains(step["id"]) ? "(\(operation))" : operation
            }.joined(separator: " → ")
        }
    }

    /// The README's table says of each file what the file says of itself, and whose its alerts are.
    @Test func theReadmeSaysTheSame() throws {
        let rows = try Playbooks.readme()
        for file in try Playbooks.files {
            let name = String(file.dropFirst("deploy/playbooks/".count).dropLast(".yaml".count))
            let account = try Playbooks.account(file)
            let cells = try #require(rows[name], "\(name) has no row")
            #expect(cells[0] == account.title)
            #expect(cells[2] == zip(account.paths, account.meanings).map { "`\($0)`: \($1)" }.joined(separator: "<br>"), "\(name)")
            var written: [String: Set<String>] = [:]
            for group in cells[1].components(separatedBy: "<br>") {
                let parts = group.components(separatedBy: ": ")
                written[parts[0]] = Set(parts.dropFirst().joined().split { "`, ".contains($0) }.map(String.init))
            }
            let known = Dictionary(grouping: RuleSetAlerts.all.filter { $0.playbook == name }, by: \.ruleSet.rawValue)
                .mapValues { Set($0.flatMap(\.names)) }
            #expect(written == known, "\(name)")
        }
        #expect(try rows.count == Playbooks.files.count)
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
