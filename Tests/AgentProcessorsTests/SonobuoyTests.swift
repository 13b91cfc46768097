import AgentOperations
import AgentProcessors
import JSONCoding
import RecordedHost
import Testing

@Suite("Sonobuoy results") struct SonobuoyTests {
    private static let directory = "sonobuoy_result_diagnoser.temporary_result_directory"
    private static let file = "sonobuoy_result_diagnoser.e2e_file"

    private func run(_ machine: RecordedHost, _ parameters: [String: String]) async throws -> BuiltInOutcome {
        try await Processors(kubernetes: nil, node: "n1").operation("sonobuoyResultDiagnoser").run(parameters, on: machine.host())
    }

    @Test func testsAreCountedByCategory() async throws {
        let machine = try RecordedHost([
            "/results/plugins/e2e.yaml": """
            name: e2e
            status: failed
            items:
            - name: junit.xml
              status: failed
              items:
              - {name: "[sig-network] DNS should resolve", status: passed}
              - {name: "[sig-network] Services should serve", status: failed}
              - {name: "[sig-apps] Job should run", status: passed}
              - {name: "[sig-apps] Job is slow", status: skipped}
              - {name: "BeforeSuite", status: passed}

            """
        ])
        let outcome = try await run(machine, [Self.directory: "/results", Self.file: "plugins/e2e.yaml"])
        #expect(try outcome.text("sonobuoy_result_diagnoser.result_directory") == "/results")
        #expect(
            try outcome.json("sonobuoy_result_diagnoser.summary") == [
                [
                    "category_name": "[sig-apps]", "status_counts": ["passed": 1],
                    "items": [["name": "[sig-apps] Job should run", "status": "passed"]],
                ],
                [
                    "category_name": "[sig-network]", "status_counts": ["passed": 1, "failed": 1],
                    "items": [
                        ["name": "[sig-network] DNS should resolve", "status": "passed"],
                        ["name": "[sig-network] Services should serve", "status": "failed"],
                    ],
                ],
                ["category_name": "other", "status_counts": ["passed": 1], "items": [["name": "BeforeSuite", "status": "passed"]]],
            ])
    }

    @Test(arguments: ["a: [", "just text", "items: 3", "{}", "a: 1\n---\nb: 2\n"]) func whatIsNoResultsFileIsRefused(text: String)
        async throws
    {
        let machine = try RecordedHost(["/results/e2e.yaml": text])
        await #expect { try await run(machine, [Self.directory: "/results", Self.file: "e2e.yaml"]) } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.hasPrefix("/results/e2e.yaml:") } else { false }
        }
    }

    @Test(arguments: ["../etc/shadow", "/etc/shadow", "a/../../b", "/", "../\u{301}x", "/\u{301}x"]) func pathsThatLeaveTheFolderAreRefused(
        file: String
    ) async throws {
        let machine = try RecordedHost(["/etc/shadow": "name: root\nstatus: secret\n"])
        try machine.makeFolder("/results")
        await #expect { try await run(machine, [Self.directory: "/results", Self.file: file]) } throws: {
            if case .parametersInvalid(let faults) = $0 as? BuiltInFault { faults.map(\.path) == [Self.file] } else { false }
        }
    }

    @Test(arguments: [
        "SECRET=hunter2\0PATH=/bin", "key: hunter2\nkey: [hunter2", "hunter2: 1\nhunter2: 2", "- hunter2: *hunter2", "\"hunter2", "hunter2",
        "! hunter2: %hunter2\n\thunter2: {",
    ]) func whatAFileHoldsIsNotTold(text: String) async throws {
        let machine = try RecordedHost(["/results/environ": text])
        await #expect { try await run(machine, [Self.directory: "/results", Self.file: "environ"]) } throws: {
            guard case .failed(let message) = $0 as? BuiltInFault else { return false }
            return message.hasPrefix("/results/environ:") && !message.contains("hunter2")
        }
    }

    @Test func linksThatLeaveTheFolderAreNotFollowed() async throws {
        let machine = try RecordedHost(["/etc/secret": "name: root\nstatus: secret\n", "/results/run/a.yaml": "name: a\nstatus: passed\n"])
        try machine.putLink("/results/e2e.yaml", to: "/etc/secret")
        try machine.putLink("/results/up.yaml", to: "../etc/secret")
        try machine.putLink("/results/folder", to: "/etc")
        try machine.putLink("/results/latest", to: "run")
        for file in ["e2e.yaml", "up.yaml", "folder/secret"] {
            let fault = BuiltInFault.unreadable(path: "/results/\(file)", reason: "it leads out of /results")
            await #expect(throws: fault) { try await run(machine, [Self.directory: "/results", Self.file: file]) }
        }
        let outcome = try await run(machine, [Self.directory: "/results", Self.file: "latest/a.yaml"])
        #expect(try outcome.json("sonobuoy_result_diagnoser.summary").arrayValue?.count == 1)
    }

    @Test func aMissingFileAndOneWithoutEnd() async throws {
        let machine = try RecordedHost()
        try machine.putFIFO("/results/pipe")
        for file in ["none", "pipe"] {
            await #expect { try await run(machine, [Self.directory: "/results", Self.file: file]) } throws: {
                if case .unreadable(let path, _) = $0 as? BuiltInFault { path == "/results/\(file)" } else { false }
            }
        }
    }
}
