import AgentExecutorCore
import JSONCoding
import Model
import Testing

@testable import AgentExecutorService

@Suite struct JournalEntryTests {
    @Test func whatIsWrittenByHandIsReadBackByTheDecoder() throws {
        var step = StepRecord(vertex: 3, operation: "df", phase: .failed, attempt: 2)
        step.outcome = .error
        step.startTime = Timestamp(microseconds: 1_700_000_000_123_456)
        step.completionTime = Timestamp(seconds: 1_700_000_001)
        step.reason = "ExitStatus"
        step.message = "exit status 3: \"x\"\n"
        step.headline = "é"
        step.notBeforeSeconds = 1.5
        let reference = ResultReference(preview: "p", size: 3, sha256: "ab", evidenceRef: "r")
        let item = EvidenceItem(
            ref: "r", path: "/p", bytes: 3, operation: "df", isHostPath: true, contentType: "a/b", sha256: "ab")
        let end = JobEnd(succeeded: true, reason: .dryRun, message: "m", summary: "s", path: [1, 2])
        let moment = JobRunTests.moment(12.5)
        for (steps, end) in [([step, StepRecord(vertex: 1, operation: "o", phase: .running, attempt: 1)], end), ([], nil)] {
            let entry = JobJournalEntry(
                clock: JobClock(acceptedAt: moment, remainingSeconds: 3600, notAfterSeconds: 0.25),
                progress: JobProgress(
                    steps: steps, results: ["a": .text("t"), "b": .reference(reference)], wholePaths: ["b": "/p"], end: end),
                evidence: [item])
            #expect(try JSON.decode(JobJournalEntry.self, from: entry.encoded()) == entry)
        }
    }

    @Test func retentionDropsTheOldAndThenTheOldest() {
        func job(_ age: Double, _ bytes: Int64) -> SettledJob {
            SettledJob(attempt: 1, endedAt: Timestamp(seconds: 1000).adding(seconds: -age), bytes: bytes)
        }
        let jobs = [UID("old"): job(101, 1), UID("a"): job(3, 10), UID("b"): job(2, 10), UID("c"): job(1, 10), UID("none"): job(4, 0)]
        func overdue(_ bytesMax: Int64, _ jobsMax: Int) -> Set<UID> {
            let retention = EvidenceRetention(seconds: 100, bytesMax: bytesMax, jobsMax: jobsMax)
            return Set(retention.overdue(jobs, at: Timestamp(seconds: 1000)))
        }
        #expect(overdue(25, 100) == [UID("old"), UID("a")])
        #expect(overdue(100, 2) == [UID("old"), UID("none"), UID("a")])
        #expect(overdue(100, 100) == [UID("old")])
    }
}
