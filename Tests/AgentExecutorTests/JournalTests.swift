import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// What the agent remembers after kill -9, and what a copied data directory does not.
@Suite struct JournalTests {
    private func lines(_ path: String) -> [String] {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    @Test(arguments: [(1, Effect.mutate), (2, .mutate), (1, .read)])
    func aStepThatRanWhenTheAgentDiedHasUsedAnAttempt(attempts: Int, effect: Effect) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let log = directory.path + "/log"
        let script = "echo $$ $KUBEDIAG_STEP_ATTEMPT >> \(log); [ $KUBEDIAG_STEP_ATTEMPT = 1 ] && sleep 300; true"
        let job = JobFixture.job([
            JobFixture.script("echo first >> \(directory.path)/first", key: "a"),
            JobFixture.script(script, effect: effect, attempts: attempts),
        ])
        let first = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await first.put(job).status == 202)
        #expect(try await eventually { lines(log).count == 1 })
        let orphan = try #require(Int32(lines(log)[0].split(separator: " ")[0]))
        first.kill()
        #expect(kill(orphan, 0) == 0)

        let second = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await eventually { scheduler.end(of: job.uid) != nil })
        let end = try #require(scheduler.end(of: job.uid))
        // Whoever inherited it may not have reaped it yet; it runs no more.
        let stat = (try? String(contentsOfFile: "/proc/\(orphan)/stat", encoding: .utf8)) ?? ") Z"
        #expect(stat.contains(") Z"))
        if attempts == 1 {
            #expect(end.phase == .failed && end.steps.last?.reason == "Interrupted")
            #expect(lines(log).count == 1)
        } else {
            #expect(end.phase == .succeeded)
            #expect(end.steps.last?.attempt == 2)
            #expect(lines(log).count == 2)
        }
        // What went before was durable with the start of what followed, unless both only read.
        if effect == .mutate { #expect(lines(directory.path + "/first").count == 1) }
        let sequences = scheduler.state.withLock { $0.reports.map(\.seq) }
        #expect(sequences == sequences.sorted())
        #expect(second.stop() == 0)
        await scheduler.stop()
    }

    @Test func anEndIsReportedAfterDeathAndAbsence() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let first = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await eventually { scheduler.epoch == 1 })
        let port = scheduler.port
        await scheduler.stop()
        let job = JobFixture.job([JobFixture.script("echo x >> \(directory.path)/log")])
        #expect(try await first.put(job).status == 202)
        #expect(
            try await eventually {
                let state = try JSON(parsing: try await first.send(.get, "/api/v1/jobs/\(job.uid)").body)
                return state["state"]?.stringValue == "Succeeded"
            })
        first.kill()
        // It starts and says what is missing while nobody is there.
        let second = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await second.send(.get, "/readyz", token: nil).status == 503)
        #expect(try await second.put(job).status == 200)
        let back = try SchedulerPeer(port: port)
        #expect(try await eventually { back.end(of: job.uid)?.phase == .succeeded })
        #expect(lines(directory.path + "/log").count == 1)
        #expect(back.state.withLock { $0.registrations.first?.jobs } == [])
        #expect(second.stop() == 0)
        await back.stop()
    }

    @Test func aCopiedDataDirectoryIsAnotherJournal() async throws {
        let directory = try TemporaryDirectory()
        let copy = try TemporaryDirectory()
        defer {
            directory.remove()
            copy.remove()
        }
        let scheduler = try SchedulerPeer()
        let job = JobFixture.job([JobFixture.script("echo $$ >> \(directory.path)/log; sleep 300")])
        let original = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await original.put(job).status == 202)
        #expect(try await eventually { lines(directory.path + "/log").count == 1 })
        // While the original runs a job, as a backup would find it; a database may be caught between two files.
        try FileManager.default.copyItem(atPath: directory.path + "/data", toPath: copy.path + "/data")

        let copied = try await AgentProcess(copy.path, scheduler.url, node: "web-08")
        #expect(try await eventually { scheduler.state.withLock { $0.registrations.count } >= 2 })
        let registrations = scheduler.state.withLock { $0.registrations }
        let other = try #require(registrations.first { $0.journalId != registrations[0].journalId })
        #expect(other.jobs.isEmpty)
        #expect(copied.stop() == 0)
        let script = try #require(Int32(lines(directory.path + "/log")[0]))
        #expect(kill(script, 0) == 0, "the copy ended a process of the original")
        original.kill()

        let again = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await eventually { scheduler.end(of: job.uid) != nil })
        #expect(scheduler.state.withLock { $0.registrations.last?.journalId } == registrations[0].journalId)
        #expect(again.stop() == 0)
        await scheduler.stop()
    }

    @Test func aDataDirectoryHasOneAgent() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let agent = try await AgentProcess(directory.path, scheduler.url)
        let other = Process()
        other.executableURL = URL(fileURLWithPath: AgentProcess.binary)
        other.arguments = ["--data-dir", directory.path + "/data", "--port", "0", "--node-name", "web-07"]
        other.standardError = FileHandle.nullDevice
        try other.run()
        other.waitUntilExit()
        #expect(other.terminationStatus == 1)
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }

    @Test func evidenceOutlivesItsJobAndARestart() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let job = JobFixture.job([JobFixture.script("echo kept")])
        let path = "/api/v1/evidence/\(job.uid)/1.1-op1.1.stdout"
        let first = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await first.put(job).status == 202)
        #expect(try await eventually { try await first.send(.get, "/api/v1/jobs/\(job.uid)").status == 404 })
        #expect(try await first.send(.get, path).body == Array("kept\n".utf8))
        #expect(first.stop() == 0)
        let second = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await second.send(.get, path).body == Array("kept\n".utf8))
        #expect(try await second.put(job).status == 200)
        // A later attempt adds to it.
        var next = job
        next.dispatchAttempt = 2
        #expect(try await second.put(next).status == 202)
        #expect(try await eventually { try await second.send(.get, "/api/v1/jobs/\(job.uid)").status == 404 })
        let list = try JSON(parsing: try await second.send(.get, "/api/v1/evidence/\(job.uid)").body)
        #expect(list["items"]?.arrayValue?.compactMap { $0["ref"]?.stringValue } == ["1.1-op1.1.stdout", "2.1-op1.1.stdout"])
        #expect(second.stop() == 0)
        let third = try await AgentProcess(directory.path, scheduler.url, settings: ["--evidence-max-age", "0s"])
        #expect(try await eventually { !FileManager.default.fileExists(atPath: directory.path + "/data/evidence/\(job.uid)") })
        #expect(third.stop() == 0)
        await scheduler.stop()
    }

    /// Fills a file system until it takes no more.
    private func fill(_ path: String) throws {
        let fd = open(path, O_WRONLY | O_CREAT, 0o600)
        try #require(fd >= 0)
        defer { close(fd) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(fd, block, block.count) > 0 {}
    }

    @Test func aFullDiskRefusesAndHoldsBackUntilThereIsRoom() async throws {
        let directory = try TemporaryDirectory()
        let data = directory.path + "/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try #require(
            mount("none", data, "tmpfs", 0, "size=8m") == 0, "this test mounts a tmpfs, as root: \(String(cString: strerror(errno)))")
        defer {
            umount2(data, Int32(MNT_DETACH))
            directory.remove()
        }
        let scheduler = try SchedulerPeer()
        let agent = try await AgentProcess(directory.path, scheduler.url)
        let gate = directory.path + "/gate"
        let second = directory.path + "/second"
        let held = JobFixture.job([
            JobFixture.script("echo on > \(gate).on; while [ ! -e \(gate) ]; do sleep 0.02; done"), JobFixture.script("echo x > \(second)"),
        ])
        #expect(try await agent.put(held).status == 202)
        #expect(try await eventually { FileManager.default.fileExists(atPath: gate + ".on") })
        try fill(data + "/filler")
        let late = JobFixture.job([JobFixture.script("true")])
        #expect(try await agent.put(late).status == 503)
        try "".write(toFile: gate, atomically: false, encoding: .utf8)
        let stays = try await eventually(seconds: 1) { FileManager.default.fileExists(atPath: second) }
        #expect(!stays, "a step that changes something began unjournaled")
        try FileManager.default.removeItem(atPath: data + "/filler")
        #expect(try await eventually { scheduler.end(of: held.uid) != nil })
        // Either it was held back, or the disk had room for the journal's line but not for the script: then it says so.
        let end = try #require(scheduler.end(of: held.uid))
        #expect(end.phase == .succeeded || end.message?.contains("No space left on device") == true, "\(end.message ?? "")")
        #expect(try await eventually { try await agent.put(late).status == 202 })
        #expect(try await eventually { scheduler.end(of: late.uid)?.phase == .succeeded })
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }

    @Test func stoppingEndsWhatRunsInTime() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let agent = try await AgentProcess(directory.path, scheduler.url)
        let script = "trap '' TERM; setsid sleep 300 & echo $$ $! >> \(directory.path)/log; while :; do sleep 0.1; done"
        #expect(try await agent.put(JobFixture.job([JobFixture.script(script)])).status == 202)
        #expect(try await eventually { lines(directory.path + "/log").count == 1 })
        let start = ContinuousClock.now
        #expect(agent.stop() == 0)
        #expect(ContinuousClock.now - start < .seconds(9))
        for word in lines(directory.path + "/log")[0].split(separator: " ") {
            let stat = (try? String(contentsOfFile: "/proc/\(word)/stat", encoding: .utf8)) ?? ") Z"
            #expect(stat.contains(") Z"))
        }
        await scheduler.stop()
    }

    /// kill -9 at random moments over a stream of jobs: each ends once, and no step ran twice unseen.
    @Test func killsAtRandomMomentsLoseNothingAndRepeatNothing() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let log = directory.path + "/log"
        let jobs = (0..<60).map { index in
            JobFixture.job((1...3).map { JobFixture.script("echo \(index).\($0) >> \(log); sleep 0.02") }, epoch: 0)
        }
        var agent = try await AgentProcess(directory.path, scheduler.url)
        var waiting = jobs
        var random = SplitMix(seed: 7)
        for _ in 0..<12 {
            let end = ContinuousClock.now + .milliseconds(Int64(40 + random.below(200)))
            while ContinuousClock.now < end, let job = waiting.first {
                if let status = try? await agent.put(job).status, [200, 202].contains(status) { waiting.removeFirst() }
            }
            agent.kill()
            agent = try await AgentProcess(directory.path, scheduler.url)
        }
        for job in waiting { _ = try await agent.put(job) }
        for job in jobs {
            let isDone = try await eventually { scheduler.end(of: job.uid) != nil }
            try #require(isDone)
        }
        let runs = Dictionary(grouping: lines(log)) { $0 }.mapValues(\.count)
        #expect(runs.values.allSatisfy { $0 == 1 }, "a step ran twice: \(runs.filter { $0.value > 1 })")
        for (index, job) in jobs.enumerated() {
            let ends = scheduler.state.withLock { $0.reports.filter { $0.uid == job.uid && $0.phase != .running } }
            #expect(Set(ends.map(\.phase)).count == 1, "two ends of one job")
            let end = try #require(ends.first)
            if end.phase == .succeeded {
                #expect((1...3).allSatisfy { runs["\(index).\($0)"] == 1 })
            } else {
                #expect(end.steps.last?.reason == "Interrupted")
            }
        }
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }
}
