import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// One step at a time changes the node; dry runs change nothing.
@Suite struct NodeTurnsTests {
    /// Says that it began and ended, and lasts until the gate is open.
    private func change(_ name: String, _ directory: String, attempts: Int? = nil, end: String = "") -> OperationSpec {
        JobFixture.script(
            "cd \(directory); echo '\(name) begins' >> log; while [ ! -e gate ]; do sleep 0.02; done; echo '\(name) ends' >> log; \(end)",
            attempts: attempts)
    }

    private func log(_ directory: String) -> [String] {
        ((try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    private func step(_ agent: AgentProcess, _ job: Job) async throws -> StepView? {
        try JSON.decode(JobView.self, from: try await agent.send(.get, "/api/v1/jobs/\(job.uid)").body).steps?.last
    }

    private struct JobView: Decodable {
        var steps: [StepView]?
    }

    private struct StepView: Decodable {
        var phase: String
        var attempt: Int
        var message: String?
    }

    @Test func oneStepAtATimeChangesTheNodeInTheOrderTheyAsked() async throws {
        try await withAgent { agent, scheduler, directory in
            let jobs = ["a", "b", "c"].map { name in
                var job = JobFixture.job([self.change(name, directory, attempts: 2, end: name == "a" ? "exit 1" : "true")])
                job.name = name
                return job
            }
            for (index, job) in jobs.enumerated() {
                #expect(try await agent.put(job).status == 202)
                let has = index == 0 ? "a begins" : "waits for its turn to change the node: kubediag/a\(index == 1 ? "" : ", and 1 more")"
                let stands = try await eventually {
                    try await index == 0 ? self.log(directory) == [has] : self.step(agent, job)?.message == has
                }
                #expect(stands, "\(job.name)")
            }
            let waiting = try await step(agent, jobs[1])
            #expect(waiting?.phase == "Running" && waiting?.attempt == 0)
            // What reads goes on beside it.
            let read = JobFixture.job([JobFixture.script("true", effect: .read)])
            #expect(try await agent.put(read).status == 202)
            #expect(try await eventually { scheduler.end(of: read.uid)?.phase == .succeeded })
            #expect(FileManager.default.createFile(atPath: directory + "/gate", contents: nil))
            #expect(try await eventually { jobs.allSatisfy { scheduler.end(of: $0.uid) != nil } })
            // A run has its turn for one execution: a retry stands in line again.
            let order = ["a", "b", "c", "a"].flatMap { ["\($0) begins", "\($0) ends"] }
            #expect(self.log(directory) == order)
            #expect(jobs.map { scheduler.end(of: $0.uid)?.phase } == [.failed, .succeeded, .succeeded])
            #expect(scheduler.end(of: jobs[1].uid)?.steps.map(\.reason) == [nil])
        }
    }

    @Test func whoWaitsCanBeCancelledAndRunsOutOfTime() async throws {
        try await withAgent { agent, scheduler, directory in
            let holder = JobFixture.job([self.change("holder", directory)])
            let cancelled = JobFixture.job([JobFixture.script("echo no >> \(directory)/log")])
            let late = JobFixture.job([JobFixture.script("echo no >> \(directory)/log")], seconds: 1)
            let next = JobFixture.job([self.change("next", directory)])
            #expect(try await agent.put(holder).status == 202)
            #expect(try await eventually { self.log(directory) == ["holder begins"] })
            for job in [cancelled, late, next] {
                #expect(try await agent.put(job).status == 202)
                let waits = try await eventually { try await self.step(agent, job)?.message?.hasPrefix("waits for its turn") == true }
                #expect(waits)
            }
            let answer = try await agent.send(.delete, "/api/v1/jobs/\(cancelled.uid)?dispatchAttempt=1")
            #expect(answer.status == 202, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(try await eventually { scheduler.end(of: cancelled.uid)?.reason == "Cancelled" })
            #expect(try await eventually { scheduler.end(of: late.uid)?.reason == "DeadlineExceeded" })
            #expect(scheduler.end(of: late.uid)?.steps.isEmpty == true)
            #expect(scheduler.end(of: holder.uid) == nil)
            // The end of who has it passes it on.
            #expect(try await agent.send(.delete, "/api/v1/jobs/\(holder.uid)?dispatchAttempt=1").status == 202)
            #expect(try await eventually { self.log(directory).last == "next begins" })
            #expect(self.log(directory) == ["holder begins", "next begins"])
        }
    }

    @Test func callsOfBuiltInOperationsTakeTheirTurnToo() async throws {
        try await withAgent { agent, scheduler, directory in
            let victim = Process()
            victim.executableURL = URL(fileURLWithPath: "/bin/sleep")
            victim.arguments = ["60"]
            try victim.run()
            defer { victim.terminate() }
            let parameters: JSON = ["pid": .string(String(victim.processIdentifier)), "signal": "SIGKILL"]
            let holder = JobFixture.job([self.change("holder", directory)])
            #expect(try await agent.put(holder).status == 202)
            #expect(try await eventually { self.log(directory) == ["holder begins"] })

            // Whose parameters are wrong need not wait to hear so, and what reads does not wait.
            #expect(try await agent.send(.post, "/processor/signalSender", ["signal": "NONE"]).status == 422)
            #expect(try await agent.send(.post, "/processor/mountInfoCollector", [:]).status == 200)
            let late = try await agent.send(.post, "/processor/signalSender?timeoutSeconds=1", parameters)
            #expect(late.status == 503 && late.headers["Retry-After"] == "5", "\(late.status)")
            let message = try JSON(parsing: late.body)["message"]?.stringValue
            #expect(message == "signalSender changes the node, and its turn did not come: kubediag/test")

            async let call = agent.send(.post, "/processor/signalSender", parameters)
            let stands = try await eventually {
                let other = try await agent.send(.post, "/processor/signalSender?timeoutSeconds=1", parameters)
                return try JSON(parsing: other.body)["message"]?.stringValue?.hasSuffix("kubediag/test, and 1 more") == true
            }
            #expect(stands)
            let next = JobFixture.job([self.change("next", directory)])
            let waits = "waits for its turn to change the node: kubediag/test, and 1 more"
            #expect(try await agent.put(next).status == 202)
            let isBehind = try await eventually { try await self.step(agent, next)?.message == waits }
            #expect(isBehind)
            #expect(victim.isRunning)
            #expect(FileManager.default.createFile(atPath: directory + "/gate", contents: nil))
            #expect(try await call.status == 200)
            #expect(try await eventually { !victim.isRunning && scheduler.end(of: next.uid)?.phase == .succeeded })
        }
    }

    @Test func aDryRunShowsWhatItWouldDo() async throws {
        let script = JobFixture.script(
            "#!/bin/sh\nrm -rf \"$1\"\n", args: ["path"], timeout: 7,
            execution: ExecutionSettings(environment: ["LEVEL": "3"], runAsUser: AgentProcess.ownUser))
        let call = OperationSpec(processor: Processor(httpServer: HTTPProcessor(address: "127.0.0.1", port: 9, path: "/fix")))
        let function = OperationSpec(
            processor: Processor(
                function: FunctionProcessor(runtime: "python3", codeSource: ["handler.py": "def handle(c):\n  return {}\n"])))
        let unable = JobFixture.script("true", execution: ExecutionSettings(runAsUser: "no-such-user"))
        var job = JobFixture.job(
            [JobFixture.script("echo read", effect: .read), script, call, function, unable], parameters: ["path": "/data/x"])
        job.dryRun = true
        let marker = job.uid.rawValue
        let report = try #require(
            try await ends([job]) { agent, _ in
                let file = try await agent.send(.get, "/api/v1/evidence/\(marker)/1.2-op2.0.dry-run")
                #expect(String(decoding: file.body, as: UTF8.self).contains("  rm -rf \"$1\""))
            }.first)
        #expect(report.phase == .succeeded && report.reason == "DryRun")
        #expect(report.steps.map(\.phase) == [.succeeded, .skipped, .skipped, .skipped, .skipped])
        let messages = report.steps.map { $0.message ?? "" }
        let user = AgentProcess.ownUser ?? NSUserName()
        #expect(
            messages[1].hasPrefix(
                "not run (Mutate); it would be: a script of 2 lines as \(user), at most 7 s\narguments:\n  path = \"/data/x\"\nenvironment:\n"
            ))
        #expect(messages[1].contains(" LEVEL ") && messages[1].hasSuffix("script:\n  #!/bin/sh\n  rm -rf \"$1\""))
        #expect(messages[2].hasPrefix("not run (Mutate); it would be: POST http://127.0.0.1:9/fix, at most 30 s\nmembers of the body:\n"))
        #expect(messages[2].contains("operation.op1.output path"))
        #expect(messages[3].contains("a python3 function as") && messages[3].contains("files:\n  handler.py (27 bytes)\n"))
        #expect(messages[4] == "not run; it would fail: runAsUser \"no-such-user\" is no user of this node")
    }
}
