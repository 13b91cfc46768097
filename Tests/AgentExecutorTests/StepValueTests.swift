import AgentExecutorCore
import Model
import Testing

@Suite struct StepValueTests {
    private func job(parameters: [String: String], pod: PodReference? = nil) -> Job {
        var job = JobRunTests.job([[1], []])
        job.parameters = parameters
        job.pod = pod
        job.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        return job
    }

    @Test func contextLaterWins() {
        var book = ResultBook()
        _ = book.merge([StepResult(key: "b", text: "result"), StepResult(key: "node", text: "forged")])
        let context = StepContext(
            job: job(parameters: ["a": "1", "b": "2", "diagnosis.uid": "forged"], pod: PodReference(namespace: "ns", name: "p")),
            results: book)
        #expect(
            context.values == [
                "a": "1", "b": "result", "diagnosis.uid": "u", "diagnosis.namespace": "kubediag", "diagnosis.name": "d", "node": "web-07",
                "pod.namespace": "ns", "pod.name": "p",
            ])
    }

    @Test func argumentsKeepTheirPositions() throws {
        let context = StepContext(job: job(parameters: ["a": "1", "c": "3"]), results: ResultBook())
        #expect(try ScriptArguments(keys: ["a", "b", "c"], context: context).values == ["1", "", "3"])
    }

    @Test func argumentsThatExecCannotTakeAreFaults() {
        func fault(_ value: String) -> StepFault.Reason? {
            let context = StepContext(job: job(parameters: ["a": value]), results: ResultBook())
            do throws(StepFaultError) {
                _ = try ScriptArguments(keys: ["a"], context: context)
                return nil
            } catch {
                return error.fault.reason
            }
        }
        #expect(fault(String(repeating: "x", count: 131_071)) == nil)
        #expect(fault(String(repeating: "x", count: 131_072)) == .argumentTooLarge)
        #expect(fault("a\u{0}b") == .argumentInvalid)
    }

    @Test func environmentCarriesIdsAndParametersAndNamesWhatIsLeftOut() {
        let large = String(repeating: "x", count: 32 * 1024 + 1)
        let environment = ScriptEnvironment(
            job: job(parameters: ["mount-point": "/var", "mount.point": "/usr", "large": large, "nul": "\u{0}"]), operation: "df",
            spec: OperationSpec(
                processor: Processor(execution: ExecutionSettings(environment: ["LANG": "de_DE.UTF-8", "LEVEL": "3", "PATH": "/evil"])),
                parameters: ["own": "1", "mount-point": "/"]), stepAttempt: 2, home: "/run/0/work")
        #expect(environment.variables["KUBEDIAG_PARAM_MOUNT_POINT"] == "/var")
        #expect(environment.variables["KUBEDIAG_PARAM_OWN"] == "1")
        #expect(environment.variables["LEVEL"] == "3" && environment.variables["LANG"] == "de_DE.UTF-8")
        #expect(environment.variables["HOME"] == "/run/0/work" && environment.variables["PATH"] == ScriptEnvironment.path)
        #expect(environment.variables["KUBEDIAG_DIAGNOSIS_UID"] == "u")
        #expect(environment.variables["KUBEDIAG_STEP_ATTEMPT"] == "2")
        #expect(environment.variables["TRACEPARENT"]?.hasPrefix("00-") == true)
        #expect(environment.omitted == ["large", "mount.point", "nul"])
        #expect(environment.variables["KUBEDIAG_OMITTED"] == "large mount.point nul")
    }

    @Test func environmentStaysBelowItsTotal() {
        let parameters = Dictionary(uniqueKeysWithValues: (0..<20).map { ("p\(100 + $0)", String(repeating: "y", count: 30_000)) })
        let environment = ScriptEnvironment(
            job: job(parameters: parameters), operation: "o", spec: OperationSpec(processor: Processor()), stepAttempt: 1, home: "/h")
        let total = environment.variables.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }
        #expect(total <= ScriptEnvironment.totalBytesMax)
        #expect(environment.variables["KUBEDIAG_PARAM_P100"] != nil)
        #expect(environment.omitted.count == 16)
    }

    @Test func largeResultsAreReferences() {
        let whole = StepResult.Whole(size: 3 << 20, sha256: "ab", evidenceRef: "1-op/1/stdout", path: "/data/stdout")
        var book = ResultBook()
        _ = book.merge([
            StepResult(key: "large", text: String(repeating: "é", count: 40_000), whole: whole, isComplete: false),
            StepResult(key: "edge", text: String(repeating: "x", count: 16 * 1024)),
        ])
        guard case .reference(let reference)? = book.values["large"] else { return #expect(Bool(false)) }
        #expect(reference.size == 3 << 20 && reference.evidenceRef == "1-op/1/stdout")
        #expect(reference.preview.utf8.count == ResultBook.previewBytesMax)
        #expect(book.values["edge"] == .text(String(repeating: "x", count: 16 * 1024)))
        let context = StepContext(job: job(parameters: [:]), results: book)
        #expect(context.values["large.path"] == "/data/stdout")
    }

    @Test func allResultsTogetherStayBelowTheirTotal() {
        var book = ResultBook()
        for index in 0..<100 {
            let whole = StepResult.Whole(size: 16_000, sha256: "ab", evidenceRef: "r", path: "/p")
            _ = book.merge([StepResult(key: "k\(index)", text: String(repeating: "\u{1}", count: 16_000), whole: whole)])
        }
        let total = book.values.reduce(0) { $0 + Text.jsonBytes($1.value.preview) + $1.key.utf8.count }
        #expect(total <= ResultValue.inlineBytesPerDiagnosisMax + 100 * 10)
        #expect(book.values.count == 100)
    }

    @Test func keysThatAreNoneAreRefused() {
        var book = ResultBook()
        let refused = book.merge([StepResult(key: "", text: ""), StepResult(key: String(repeating: "k", count: 300), text: "")])
        #expect(refused.count == 2 && book.values.isEmpty)
    }

    @Test func bytesThatAreNoTextAreRepairedAndCutsFallBetweenCharacters() {
        #expect(Text.repaired([0x61, 0xFF, 0x62], isCut: false) == "a\u{FFFD}b")
        #expect(Text.repaired(Array("aé".utf8).dropLast(), isCut: true) == "a")
        #expect(Text.repaired(Array("a😀".utf8).dropLast(1), isCut: true) == "a")
        #expect(Text.repaired(Array("a😀".utf8), isCut: true) == "a😀")
        #expect(Text.prefix("aé", bytesMax: 2) == "a")
        #expect(Text.prefix("😀", bytesMax: 3) == "")
        #expect(Text.firstLine("\n\t \n  x\u{7}y  \nz", charactersMax: 10) == "x y")
        #expect(Text.firstLine(String(repeating: "x", count: 200), charactersMax: 120).count == 120)
        #expect(Text.firstLine("the largest is /big of pid 26548, and more", charactersMax: 30) == "the largest is /big of pid …")
        #expect(Text.firstLine("the largest is /big of pid 26548, and more", charactersMax: 33) == "the largest is /big of pid …")
        #expect(Text.firstLine("a b " + String(repeating: "x", count: 50), charactersMax: 20) == "a b xxxxxxxxxxxxxxx…", "too far back")
    }

    @Test func admissionIsIdempotentOnUidAndAttempt() {
        typealias Known = JobAdmission.Known
        #expect(JobAdmission.verdict(putting: 1, known: nil, tombstone: nil) == .accept)
        #expect(JobAdmission.verdict(putting: 1, known: Known(attempt: 1, state: .finished), tombstone: nil) == .repeated(.finished))
        #expect(JobAdmission.verdict(putting: 2, known: Known(attempt: 1, state: .running), tombstone: nil) == .supersede)
        #expect(JobAdmission.verdict(putting: 1, known: Known(attempt: 2, state: .running), tombstone: nil) == .staleAttempt(known: 2))
        #expect(JobAdmission.verdict(putting: 2, known: nil, tombstone: 2) == .cancelled)
        #expect(JobAdmission.verdict(putting: 3, known: nil, tombstone: 2) == .accept)
        #expect(JobAdmission.verdict(putting: 2, known: Known(attempt: 1, state: .running), tombstone: 2) == .cancelled)
        #expect(JobAdmission.cancellation(of: 1, known: nil) == .bury)
        #expect(JobAdmission.cancellation(of: 2, known: Known(attempt: 1, state: .running)) == .bury)
        #expect(JobAdmission.cancellation(of: 1, known: Known(attempt: 1, state: .running)) == .stop)
        #expect(JobAdmission.cancellation(of: 1, known: Known(attempt: 1, state: .finished)) == .done(.finished))
        #expect(JobAdmission.cancellation(of: 1, known: Known(attempt: 2, state: .running)) == .staleAttempt(known: 2))
    }

    @Test func answersToReportsAreJudged() {
        var delivery = ReportDelivery()
        #expect(delivery.judge(.status(200, retryAfterSeconds: nil), random: 0) == .acknowledged)
        #expect(delivery.judge(.status(409, retryAfterSeconds: nil), random: 0) == .stale)
        #expect(delivery.judge(.status(410, retryAfterSeconds: nil), random: 0) == .gone)
        #expect(delivery.judge(.status(413, retryAfterSeconds: nil), random: 0) == .cutMore)
        #expect(delivery.judge(.status(404, retryAfterSeconds: nil), random: 0) == .parked(status: 404))
        var last = 0.0
        for _ in 0..<20 {
            guard case .again(let seconds) = delivery.judge(.unreachable, random: 1) else { return #expect(Bool(false)) }
            #expect(seconds >= last && seconds <= ReportDelivery.backoffSecondsMax)
            last = seconds
        }
        #expect(delivery.judge(.status(429, retryAfterSeconds: 30), random: 0) == .again(afterSeconds: 30))
    }
}
