import Testing
import TriggerRouterCore

/// How far partitions are done.
@Suite struct MessageProgressTests {
    private static func next(_ steps: [(String, Int64, Bool)]) -> [String: Int64] {
        MessageProgress.next(steps.map { MessageProgress.Step(partition: $0.0, offset: $0.1, isSettled: $0.2) })
    }

    @Test func aPartitionIsDoneUpToItsFirstMessageThatIsNot() {
        #expect(Self.next([]) == [:])
        #expect(Self.next([("a", 5, true), ("a", 6, true)]) == ["a": 7])
        #expect(Self.next([("a", 5, true), ("a", 6, false), ("a", 7, true)]) == ["a": 6])
        #expect(Self.next([("a", 5, false), ("a", 6, true)]) == [:])
        #expect(Self.next([("a", 5, true), ("b", 1, false), ("a", 9, true), ("b", 2, true)]) == ["a": 10])
    }

    @Test func whatIsMissingFromAPartitionIsNotWaitedFor() {
        // A log that was compacted has gaps.
        #expect(Self.next([("a", 5, true), ("a", 50, true), ("a", 51, false)]) == ["a": 51])
    }
}
