import Foundation
import HTTPClient
import JSONCoding
import Model
import TestSupport
import Testing

@Suite struct BuiltInTests {
    private func builtIn(_ path: String, effect: Effect = .read, _ parameters: [String: String] = [:]) -> OperationSpec {
        OperationSpec(processor: Processor(httpServer: HTTPProcessor(path: path)), effect: effect, parameters: parameters)
    }

    @Test func aDiagnosisRunsThemInTheAgent() async throws {
        let found = builtIn("/processor/loadAverage", ["loadPerProcessor": "0.1"])
        let ruledOut = builtIn("/processor/loadAverage", ["loadPerProcessor": "1000"])
        let invalid = builtIn("/processor/loadAverage", ["loadPerProcessor": "-1"])
        let misspelled = builtIn("/processor/loadAverages")
        let root = try RecordedLoad(loads: "8.00 8.00 8.00 1/2 3")
        defer { root.directory.remove() }
        let reports = try await ends(
            [JobFixture.job([found]), JobFixture.job([ruledOut]), JobFixture.job([invalid]), JobFixture.job([misspelled])],
            settings: ["--host-root", root.directory.path])
        #expect(reports.map(\.phase) == [.succeeded, .failed, .failed, .failed])
        #expect(reports[0].summary == "Load 8.0, 8.0, 8.0 on 2 processors.")
        #expect(reports.dropFirst().map { $0.steps[0].reason } == ["RuledOut", "ArgumentInvalid", "PlanInvalid"])
        #expect(reports[1].steps[0].message == "Load 8.0, 8.0, 8.0 on 2 processors.")
        #expect(reports[2].steps[0].message == "loadPerProcessor: must be a number from 0.1 to 1000, not \"-1\"")
        #expect(reports[3].steps[0].message?.hasSuffix("did you mean loadAverage?") == true)
    }

    /// Each operation gives back what it opened: connections that are answered, refused or never answered, folders of /proc, control groups.
    @Test func noneLeavesADescriptorOpen() async throws {
        try await withAgent { agent, _, _ in
            let port = try #require(agent.url.split(separator: ":").last)
            let calls: [(String, JSON)] = [
                ("reachability", ["target": .string("127.0.0.1:\(port)")]), ("reachability", ["target": .string(agent.url + "/healthz")]),
                ("reachability", ["target": .string("tls://127.0.0.1:\(port)")]), ("reachability", ["target": "127.0.0.1:1"]),
                ("dns", ["resolver": "127.0.0.1:1", "attempts": "2"]), ("fileDescriptors", [:]), ("deletedOpenFiles", [:]),
                ("uninterruptibleTasks", [:]), ("cgroupMemory", [:]), ("tcpHealth", ["sampleSeconds": "0.1"]), ("mountInfoCollector", [:]),
                ("kernelLog", [:]), ("diskUsageCollector", ["path": "/proc/self/task"]),
            ]
            func callAll() async throws {
                for (name, parameters) in calls {
                    let status = try await agent.send(.post, "/processor/\(name)", parameters).status
                    #expect([200, 412, 501].contains(status), "\(name): \(status)")
                }
            }
            func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(agent.processID)/fd").count }
            try await callAll()
            let before = try descriptors()
            for _ in 0..<5 { try await callAll() }
            // Connections that the agent has accepted end a moment after the other side's.
            let areBack = try await eventually { try descriptors() < before + 5 }
            let after = try descriptors()
            #expect(areBack, "\(before) became \(after)")
        }
    }

    @Test func theyAreListedAndCalledOverHTTP() async throws {
        try await withAgent { agent, _, _ in
            let list = try JSON(parsing: try await agent.send(.get, "/api/v1/operations").body)
            guard case .array(let items)? = list["items"] else { return #expect(Bool(false), "\(list)") }
            let load = try #require(items.first { $0["name"] == "loadAverage" })
            #expect(load["manifest"]?["spec"]?["processor"]?["httpServer"]?["path"] == "/processor/loadAverage")
            #expect(load["effect"] == "Read")
            let low = try await agent.send(.post, "/processor/loadAverage", ["loadPerProcessor": "1000"])
            #expect(low.status == 412)
            #expect(try JSON(parsing: low.body)["kubediag.outcome"] == "ruledOut")
            let wrong = try await agent.send(.post, "/processor/loadAverage", ["loadPerProcessor": "x"])
            #expect(wrong.status == 422)
            #expect(try JSON(parsing: wrong.body)["details"]?["causes"] != nil)
            #expect(try await agent.send(.post, "/processor/loadAverage", [:], token: nil).status == 401)
            #expect(try await agent.send(.post, "/processor/loadAverage", [:], token: "receiver-token-0123456789").status == 403)
        }
    }
}

/// A recorded machine as far as `loadAverage` looks at it.
private struct RecordedLoad {
    let directory: TemporaryDirectory

    init(loads: String) throws {
        directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.path + "/proc", withIntermediateDirectories: true)
        try Data(loads.utf8).write(to: URL(fileURLWithPath: directory.path + "/proc/loadavg"))
        try Data("cpu 1\ncpu0 1\ncpu1 1\n".utf8).write(to: URL(fileURLWithPath: directory.path + "/proc/stat"))
    }
}
