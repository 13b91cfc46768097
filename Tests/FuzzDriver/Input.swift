import CFuzzEngine
import Foundation
import FuzzTargets
import Synchronization

/// One input on its way through a target.
struct Input: Sendable {
    /// Seconds of processor time that one may take: a hundred times what the slowest of the corpus does.
    static let secondsMax = 1.0

    let target: FuzzTarget
    let bytes: [UInt8]

    /// What is wrong with the answer, or how long it took; nil when all is well. Blocks the caller's thread.
    func run() -> String? {
        let start = fuzz_engine_cpu_nanoseconds()
        // On a thread of Swift's own, as in the services: their stacks are what deep input meets there.
        let answer = Answer()
        Task.detached {
            answer.give(await target.finding(for: bytes))
        }
        let finding = answer.wait()
        let seconds = Double(fuzz_engine_cpu_nanoseconds() - start) / 1e9
        return finding ?? (seconds > Self.secondsMax ? "\(bytes.count) bytes took \(seconds) s of processor time" : nil)
    }
}

private final class Answer: Sendable {
    private let finding = Mutex<String?>(nil)
    private let given = DispatchSemaphore(value: 0)

    func give(_ finding: String?) {
        self.finding.withLock { $0 = finding }
        given.signal()
    }

    func wait() -> String? {
        given.wait()
        return finding.withLock { $0 }
    }
}
