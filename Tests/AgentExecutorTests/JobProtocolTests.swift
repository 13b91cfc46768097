import Foundation
import JSONCoding
import Model
import Synchronization
import TestSupport
import Testing

/// Repeats, cancels, attempts and refusals, on the built agent.
@Suite struct JobProtocolTests {
    private func receipt(_ bytes: [UInt8]) throws -> JobReceipt { try JSON.decode(JobReceipt.self, from: bytes) }
    private func reason(_ bytes: [UInt8]) throws -> String? { try JSON(parsing: bytes)["reason"]?.stringValue }

    /// The process number that a script writes, waited for.
    private func pid(_ path: String) async throws -> Int32 {
        var found: Int32?
        _ = try await eventually {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.hasSuffix("\n") else { return false }
            found = Int32(text.dropLast())
            return true
        }
        return try #require(found)
    }

    @Test func aRepeatedPutIsHarmlessAndALowerAttemptIsRefused() async throws {
        try await withAgent { agent, scheduler, directory in
            let log = directory + "/log"
            let job = JobFixture.job([JobFixture.script("echo x >> \(log)")], attempt: 2)
            let receipts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await agent.put(job).status } }
                var all: [Int] = []
                for try await status in group { all.append(status) }
                return all
            }
            // One is new; the others are told so, or to ask again while it is being written.
            #expect(receipts.filter { $0 == 202 }.count == 1)
            #expect(receipts.allSatisfy { [200, 202, 503].contains($0) })
            #expect(try await eventually { scheduler.end(of: job.uid, attempt: 2) != nil })
            let again = try await agent.put(job)
            #expect(again.status == 200)
            #expect(try receipt(again.body).state == .finished)
            var lower = job
            lower.dispatchAttempt = 1
            let stale = try await agent.put(lower)
            #expect(stale.status == 409)
            #expect(try reason(stale.body) == "StaleAttempt")
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "x\n")
        }
    }

    @Test func aCancelOfAJobThatNeverCameRefusesItLater() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let job = JobFixture.job([JobFixture.script("true")])
        let first = try await AgentProcess(directory.path, scheduler.url)
        let cancel = try await first.send(.delete, "/api/v1/jobs/\(job.uid)?dispatchAttempt=1")
        #expect(cancel.status == 200)
        #expect(try receipt(cancel.body).state == .cancelled)
        first.kill()
        // The tombstone was durable.
        let second = try await AgentProcess(directory.path, scheduler.url)
        let put = try await second.put(job)
        #expect(put.status == 409)
        #expect(try reason(put.body) == "Cancelled")
        var next = job
        next.dispatchAttempt = 2
        #expect(try await second.put(next).status == 202)
        #expect(try await eventually { scheduler.end(of: job.uid, attempt: 2) != nil })
        #expect(second.stop() == 0)
        await scheduler.stop()
    }

    @Test func aCancelEndsWhatRunsAndIsReported() async throws {
        try await withAgent { agent, scheduler, directory in
            let job = JobFixture.job([
                JobFixture.script("echo $$ > \(directory)/pid; sleep 300"), JobFixture.script("echo no > \(directory)/second"),
            ])
            #expect(try await agent.put(job).status == 202)
            let running = try await pid(directory + "/pid")
            let cancel = try await agent.send(.delete, "/api/v1/jobs/\(job.uid)?dispatchAttempt=1")
            #expect(cancel.status == 202)
            #expect(try await eventually { scheduler.end(of: job.uid) != nil })
            let end = try #require(scheduler.end(of: job.uid))
            #expect(end.phase == .failed && end.reason == "Cancelled")
            #expect(end.steps.map(\.reason) == ["Cancelled"])
            #expect(kill(running, 0) == -1)
            #expect(!FileManager.default.fileExists(atPath: directory + "/second"))
        }
    }

    @Test func aHeartbeatCancelsToo() async throws {
        try await withAgent { agent, scheduler, directory in
            let job = JobFixture.job([JobFixture.script("echo $$ > \(directory)/pid; sleep 300")])
            #expect(try await agent.put(job).status == 202)
            _ = try await pid(directory + "/pid")
            scheduler.state.withLock { $0.cancel = [JobReference(uid: job.uid, dispatchAttempt: 1)] }
            #expect(try await eventually { scheduler.end(of: job.uid)?.reason == "Cancelled" })
        }
    }

    @Test func aHigherAttemptEndsTheLowerOnesProcessesBeforeItStarts() async throws {
        try await withAgent { agent, scheduler, directory in
            let script = """
                trap '' TERM
                if [ -s \(directory)/pid ]; then kill -0 $(cat \(directory)/pid) && echo together; echo second; exit 0; fi
                echo $$ > \(directory)/pid
                while :; do sleep 0.1; done
                """
            let job = JobFixture.job([JobFixture.script(script, key: "k")])
            #expect(try await agent.put(job).status == 202)
            _ = try await pid(directory + "/pid")
            var next = job
            next.dispatchAttempt = 2
            #expect(try await agent.put(next).status == 202)
            #expect(try await eventually { scheduler.end(of: job.uid, attempt: 2) != nil })
            let end = try #require(scheduler.end(of: job.uid, attempt: 2))
            #expect(end.operationResults?["operation.k.output"] == .text("second\n"))
            #expect(scheduler.end(of: job.uid, attempt: 1) == nil)
        }
    }

    @Test func aFullQueueAnswers503() async throws {
        try await withAgent(settings: ["--jobs-max", "1", "--queued-jobs-max", "2"]) { agent, scheduler, directory in
            let gate = directory + "/gate"
            let jobs = (0..<3).map { _ in JobFixture.job([JobFixture.script("while [ ! -e \(gate) ]; do sleep 0.02; done")]) }
            #expect(try await agent.put(jobs[0]).status == 202)
            #expect(
                try await eventually {
                    let list = try JSON(parsing: try await agent.send(.get, "/api/v1/jobs").body)
                    return list["items"]?.arrayValue?.first?["state"]?.stringValue == "Running"
                })
            for job in jobs[1...] { #expect(try await agent.put(job).status == 202) }
            let refused = try await agent.put(JobFixture.job([JobFixture.script("true")]))
            #expect(refused.status == 503)
            #expect(refused.headers["Retry-After"] != nil)
            // A job that waits is ended without waiting for its turn.
            let cancel = try await agent.send(.delete, "/api/v1/jobs/\(jobs[2].uid)?dispatchAttempt=1")
            #expect(try receipt(cancel.body).state != .cancelled)
            #expect(try await eventually { scheduler.end(of: jobs[2].uid)?.reason == "Cancelled" })
            #expect(scheduler.end(of: jobs[2].uid)?.steps == [])
            try "".write(toFile: gate, atomically: false, encoding: .utf8)
            for job in jobs { #expect(try await eventually { scheduler.end(of: job.uid) != nil }) }
        }
    }

    @Test func anAgentWhoseNameIsTakenFromTheStartStartsNoStep() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        scheduler.state.withLock { $0.registrationAnswer = { _ in (409, "NodeNameTaken") } }
        let agent = try await AgentProcess(directory.path, scheduler.url)
        let knows = try await eventually { try await agent.readiness().contains("is taken") }
        #expect(knows)
        let job = JobFixture.job([JobFixture.script("echo first > \(directory.path)/first")])
        #expect(try await agent.put(job).status == 202)
        let starts = try await eventually(seconds: 1) { FileManager.default.fileExists(atPath: directory.path + "/first") }
        #expect(!starts)
        scheduler.state.withLock { $0.registrationAnswer = { _ in (200, "") } }
        #expect(try await eventually { scheduler.end(of: job.uid)?.phase == .succeeded })
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }

    @Test func aStaleAgentStartsNoStepUntilItIsRegisteredAgain() async throws {
        try await withAgent { agent, scheduler, directory in
            let gate = directory + "/gate"
            let job = JobFixture.job([
                JobFixture.script("echo $$ > \(directory)/pid; while [ ! -e \(gate) ]; do sleep 0.02; done"),
                JobFixture.script("echo second > \(directory)/second"),
            ])
            #expect(try await eventually { scheduler.epoch == 1 })
            #expect(try await agent.put(job).status == 202)
            _ = try await pid(directory + "/pid")
            // Somebody else has the name now.
            scheduler.state.withLock { state in
                state.registrationAnswer = { _ in (409, "NodeNameTaken") }
                state.isStale = true
            }
            let knows = try await eventually { try await agent.readiness().contains("is taken") }
            #expect(knows)
            try "".write(toFile: gate, atomically: false, encoding: .utf8)
            let stays = try await eventually(seconds: 1.5) { FileManager.default.fileExists(atPath: directory + "/second") }
            #expect(!stays)
            scheduler.state.withLock { $0.registrationAnswer = { _ in (200, "") } }
            #expect(try await eventually { scheduler.end(of: job.uid)?.phase == .succeeded })
            #expect(scheduler.end(of: job.uid)?.epoch == 2)
            #expect(try await agent.send(.get, "/readyz", token: nil).status == 200)
        }
    }

    @Test func answersToReportsAreFollowed() async throws {
        try await withAgent { agent, scheduler, directory in
            let cut = JobFixture.job(
                (0..<5).map { JobFixture.script("head -c 15000 /dev/zero | tr '\\0' x", key: "k\($0)", effect: .read) })
            let gone = JobFixture.job([JobFixture.script("echo x")])
            let parked = JobFixture.job([JobFixture.script("echo x")])
            let later = JobFixture.job([JobFixture.script("echo x")])
            let laterCount = Counter()
            // Not the first report alone: which one that is depends on how fast the step runs.
            let isTaken = Mutex(false)
            scheduler.state.withLock { state in
                state.reportAnswer = { report in
                    switch report.uid {
                    case cut.uid:
                        let size = report.operationResults?.values.reduce(0) { $0 + $1.preview.utf8.count } ?? 0
                        return size > 5000 ? (413, "RequestEntityTooLarge") : (200, "")
                    case gone.uid: return (410, "Gone")
                    case parked.uid: return isTaken.withLock { $0 } ? (200, "") : (422, "Invalid")
                    case later.uid: return laterCount.next() < 3 ? (503, "ServiceUnavailable") : (200, "")
                    default: return (200, "")
                    }
                }
            }
            for job in [cut, gone, parked, later] { #expect(try await agent.put(job).status == 202) }
            #expect(try await eventually { scheduler.end(of: cut.uid) != nil && scheduler.end(of: later.uid) != nil })
            #expect(try await eventually { try await agent.send(.get, "/api/v1/jobs/\(gone.uid)").status == 404 })
            #expect(!FileManager.default.fileExists(atPath: directory + "/data/evidence/\(gone.uid)"))
            #expect(try await agent.send(.get, "/api/v1/jobs/\(parked.uid)").status == 200)
            let metrics = String(decoding: try await agent.send(.get, "/metrics").body, as: UTF8.self)
            #expect(metrics.contains(#/agent_reports_parked_total [1-9]/#))
            #expect(scheduler.end(of: parked.uid) == nil)
            isTaken.withLock { $0 = true }
            scheduler.state.withLock { $0.isStale = true }
            #expect(try await eventually { scheduler.end(of: parked.uid) != nil })
        }
    }

    @Test func strangersAndNonsenseAreRefused() async throws {
        try await withAgent { agent, _, directory in
            let job = JobFixture.job([JobFixture.script("true")])
            let body = try JSON(encoding: job)
            let path = "/api/v1/jobs/\(job.uid)"
            #expect(try await agent.send(.put, path, body, token: nil).status == 401)
            #expect(try await agent.send(.put, path, body, token: "receiver-token-0123456789").status == 403)
            #expect(try await agent.send(.get, "/api/v1/evidence/\(job.uid)", token: nil).status == 401)
            #expect(try await agent.send(.put, "/api/v1/jobs/other", body).status == 400)
            #expect(try await agent.send(.put, path, .object([:])).status == 400)
            #expect(try await agent.send(.put, path, nil, headers: [("Content-Type", "application/json")]).status == 400)
            var elsewhere = job
            elsewhere.node = NodeName("web-08")
            #expect(try await agent.put(elsewhere).status == 409)
            var evil = job
            evil.uid = UID("../../etc")
            #expect(try await agent.send(.put, "/api/v1/jobs/..%2f..%2fetc", try JSON(encoding: evil)).status == 400)
            #expect(try await agent.send(.delete, path).status == 400)
            #expect(try await agent.send(.delete, path + "?dispatchAttempt=x").status == 400)
            #expect(try await agent.send(.post, "/processor/unknown", .object([:])).status == 404)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/data/evidence").isEmpty)
        }
    }
}

/// Counts calls.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
