import Foundation
import JSONCoding
import KubernetesTestServer
import Model
import RecordedHost
import TestSupport
import Testing

/// The fault is there, its alert comes, and the playbook says what it is: whole systems, with an agent for each recorded machine.
@Suite(.serialized) struct FaultTests {
    private func uptime() throws -> Double {
        let text = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
        return try #require(Double(text.prefix { $0 != " " }))
    }

    /// The diagnosis of an operation set, once it has ended.
    private func diagnosis(of set: String, in cluster: Cluster, seconds: Double = 60) async throws -> JSON {
        var name: String?
        let exists = try await eventually {
            name = try await cluster.diagnoses().first { $0["spec"]?["operationSet"]?.stringValue == set }?["metadata"]?["name"]?
                .stringValue
            return name != nil
        }
        try #require(exists, "no diagnosis of \(set)")
        return try await cluster.wait(try #require(name), seconds: seconds)
    }

    private func path(_ diagnosis: JSON) -> [String] {
        diagnosis["status"]?["succeededPath"]?.arrayValue?.compactMap { $0["operation"]?.stringValue } ?? []
    }

    @Test func recordedMachinesAreDiagnosed() async throws {
        let cluster = try await Cluster(agents: [], laterAgents: RecordedFault.all.map(\.playbook))
        try await cluster.applyPlaybooks()
        var machines: [LivingMachine] = []
        for fault in RecordedFault.all {
            let machine = try LivingMachine(fault, uptimeSeconds: try uptime())
            machines.append(machine)
            try await cluster.startAgent(fault.playbook, ["--host-root", machine.host.root])
        }
        let answer = try await cluster.post(RecordedFault.all.map(\.alert))
        #expect(answer.status == 200)
        for fault in RecordedFault.all {
            let done = try await diagnosis(of: fault.playbook, in: cluster)
            let status = done["status"] ?? .null
            #expect(done.phase == "Succeeded", "\(fault.playbook): \(status)")
            #expect(status["summary"]?.stringValue?.contains(fault.summary) == true, "\(fault.playbook): \(status["summary"] ?? .null)")
            #expect(path(done) == fault.path, "\(fault.playbook)")
            #expect(status["nodeName"]?.stringValue == fault.playbook)
        }
        for machine in machines { machine.stop() }
        try await cluster.stop()
    }
}
