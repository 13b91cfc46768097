import Foundation
import Testing

@testable import ProcessRunner

@Suite struct ChildLifecycleTests {
    private let start = ContinuousClock.now

    private func life(timeout: Duration? = .seconds(10)) -> ChildLifecycle {
        ChildLifecycle(limits: ProcessLimits(), timeout: timeout, startedAt: start)
    }

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func anOrdinaryEndIsOneKillOfWhatIsLeftAndTheEnd() {
        for events in [[ChildLifecycle.Event.leaderExited, .pipesClosed], [.pipesClosed, .leaderExited]] {
            var life = life()
            #expect(life.apply(events[0], at: at(1)) == [])
            #expect(life.apply(events[1], at: at(1)) == [.signalGroup(SIGKILL), .finish])
            #expect(life.cause == .byItself && !life.wasKilled)
            #expect(life.nextDeadline == nil)
            #expect(life.apply(.clock, at: at(100)) == [])
        }
    }

    @Test func aTimeoutIsTermThenKillThenGivingUp() {
        var life = life()
        #expect(life.apply(.clock, at: at(9)) == [])
        #expect(life.apply(.clock, at: at(10)) == [.signalGroup(SIGTERM)])
        #expect(life.apply(.clock, at: at(14)) == [])
        #expect(life.apply(.clock, at: at(15)) == [.signalGroup(SIGKILL)])
        #expect(life.wasKilled)
        // In the kernel's hands: after the last grace the run ends without it.
        #expect(life.nextDeadline == at(45))
        #expect(life.apply(.clock, at: at(45)) == [.signalGroup(SIGKILL), .finish])
        #expect(life.isStuck && life.cause == .timedOut)
    }

    @Test func pipesThatStayOpenAreGivenUpAfterTwoGraces() {
        var life = life()
        #expect(life.apply(.leaderExited, at: at(1)) == [])
        #expect(life.apply(.clock, at: at(1.25)) == [.signalGroup(SIGKILL), .endEscaped])
        #expect(life.apply(.clock, at: at(1.5)) == [.signalGroup(SIGKILL), .finish])
        #expect(!life.isStuck && life.cause == .byItself)
    }

    @Test func theFirstCauseStays() {
        var life = life()
        #expect(life.apply(.cancelled, at: at(3)) == [.signalGroup(SIGTERM)])
        #expect(life.apply(.cancelled, at: at(4)) == [])
        #expect(life.nextDeadline == at(8))
        #expect(life.apply(.leaderExited, at: at(5)) == [])
        #expect(life.apply(.pipesClosed, at: at(5)) == [.signalGroup(SIGKILL), .finish])
        #expect(life.cause == .cancelled)
    }

    @Test func cancellingWhatOnlyLingersIsNoCancellation() {
        var life = life(timeout: nil)
        #expect(life.nextDeadline == nil)
        #expect(life.apply(.leaderExited, at: at(1)) == [])
        #expect(life.apply(.cancelled, at: at(1.1)) == [.signalGroup(SIGKILL), .endEscaped])
        #expect(life.cause == .byItself)
    }

    @Test(arguments: 0..<20) func capturesAreTheStreamsHeadAndTail(seed: Int) {
        var state = UInt64(seed + 1)
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return Int(state >> 33) % bound
        }
        for _ in 0..<50 {
            let (head, tail) = (random(20), random(20))
            var capture = OutputCapture(headBytesMax: head, tailBytesMax: tail)
            var whole: [UInt8] = []
            for _ in 0..<random(8) {
                let chunk = (0..<random(25)).map { _ in UInt8(random(256)) }
                whole += chunk
                chunk.withUnsafeBytes { capture.append($0) }
            }
            let captured = capture.captured(fileBytes: 0)
            #expect(captured.head == Array(whole.prefix(head)))
            #expect(captured.tail == Array(whole.dropFirst(head).suffix(tail)))
            #expect(captured.totalBytes == Int64(whole.count))
        }
    }
}
