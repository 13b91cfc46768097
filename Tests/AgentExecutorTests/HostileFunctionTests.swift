import Foundation
import Model
import TestSupport
import Testing

/// Functions that do what they should not: each is a clear fault, and nothing of it goes on.
@Suite struct HostileFunctionTests {
    private func job(_ handler: String, timeout: Int = 20, limits: ExecutionLimits? = nil) -> Job {
        let function = FunctionProcessor(runtime: "python3", codeSource: ["handler.py": "import os, sys, time, signal\n" + handler])
        let processor = Processor(function: function, timeoutSeconds: timeout, execution: limits.map { ExecutionSettings(limits: $0) })
        return JobFixture.job([OperationSpec(processor: processor, effect: .read)])
    }

    private func isRunning(_ text: Substring?) -> Bool {
        guard let text, let pid = Int32(text) else { return true }
        return kill(pid, 0) == 0
    }

    /// Processes that carry the mark of a job.
    private func marked(_ job: Job) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { name in
            guard Int32(name) != nil, let environment = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(name)/environ")) else {
                return false
            }
            return environment.range(of: Data("KUBEDIAG_RUN=".utf8)) != nil && environment.range(of: Data("/\(job.uid)/".utf8)) != nil
        }
    }

    @Test func answersThatAreNoneAreNamed() async throws {
        let jobs = [
            job("def handle(c): sys.stdout.buffer.write(bytes(range(256))); return {'fine': 1}"),
            job("def handle(c): return {'x': float('nan')}"), job("def handle(c): return [1]"), job("def handle(c): return {1: {2}}"),
            job("def other(c): pass"), job("def handle(c): return {'x': 'y' * 100_000_000}"), job("def handle(c): os._exit(0)"),
            job("def handle(c): os.kill(os.getpid(), 9)"), job("def handle(c): raise SystemExit(10)"),
            job("def handle(c): return {'kubediag.outcome': 'ruledOut', 'x': None}"),
        ]
        let reports = try await ends(jobs, user: nil)
        #expect(reports[0].text("fine") == "1" && reports[0].text("operation.op1.stderr")?.contains("\u{FFFD}") == true)
        #expect(
            reports.map { $0.steps[0].reason ?? "" } == [
                "", "ResponseInvalid", "ResponseInvalid", "ExitStatus", "ExitStatus", "ResponseInvalid", "ResponseInvalid", "Signaled",
                "RuledOut",
                "RuledOut",
            ])
        let messages = reports.map { $0.steps[0].message ?? "" }
        #expect(messages[1].hasPrefix("the answer is not JSON: "))
        #expect(messages[2] == "the answer is JSON, but no object")
        #expect(messages[3].hasSuffix("TypeError: Object of type set is not JSON serializable"))
        #expect(messages[4].contains("ImportError: cannot import name 'handle'"))
        #expect(messages[5] == "the function returned 100000009 bytes; at most 8388608 are taken")
        #expect(messages[7].contains("signal 9"))
        for job in jobs { #expect(marked(job).isEmpty) }
    }

    @Test func whatForksHangsOrGrowsLeavesNothing() async throws {
        let jobs = [
            job("def handle(c):\n  pid = os.fork()\n  if pid == 0:\n    os.setsid()\n    time.sleep(300)\n  return {'pid': pid}"),
            job(
                "def handle(c):\n  signal.signal(signal.SIGTERM, signal.SIG_IGN)\n  print(os.getpid(), flush=True)\n  while True: pass",
                timeout: 1),
            job("def handle(c):\n  while True: os.fork()", timeout: 5, limits: ExecutionLimits(processes: 50)),
            job("def handle(c): return {'x': len(bytearray(1 << 30))}", limits: ExecutionLimits(memoryBytes: 256 << 20)),
            job("def handle(c):\n  while True: open('f', 'ab').write(b'x' * 1000000)", limits: ExecutionLimits(fileSizeBytes: 3_000_000)),
            job("def handle(c):\n  l = []\n  while True: l.append(open('/dev/null'))", limits: ExecutionLimits(openFiles: 30)),
            job("def handle(c):\n  while True: sys.stderr.write('x' * 1000)", timeout: 2),
        ]
        let reports = try await ends(jobs, user: nil, settings: ["--evidence-step-max", "1MiB"])
        #expect(reports[0].phase == .succeeded)
        #expect(!isRunning(reports[0].text("pid")?[...]))
        #expect(
            reports[1].steps[0].message == "timed out after 1 s (SIGKILL)"
                + ": \(reports[1].text("operation.op1.stderr")?.dropLast() ?? "")")
        #expect(!isRunning(reports[1].text("operation.op1.stderr")?.dropLast()))
        if geteuid() == 0 { #expect(reports[2].steps[0].message?.contains("BlockingIOError") == true) }
        #expect(reports[3].steps[0].message?.hasSuffix("MemoryError") == true || reports[3].steps[0].reason == "OutOfMemory")
        #expect(reports[4].steps[0].message?.contains("File too large") == true)
        #expect(reports[5].steps[0].message?.contains("Too many open files") == true)
        #expect(reports[6].steps[0].reason == "TimedOut")
        for job in jobs { #expect(marked(job).isEmpty) }
    }
}
