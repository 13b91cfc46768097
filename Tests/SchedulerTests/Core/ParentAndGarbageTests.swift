import JSONCoding
import Model
import Testing

@testable import SchedulerCore

@Suite("Several nodes, and what is thrown away")
struct ParentAndGarbageTests {
    let start = Timestamp(seconds: 1_000_000)
    let limits = LifecycleLimits()
    let nodes = ["a", "b", "c"].map { NodeName($0) }

    func parent() -> ParentAggregate { ParentAggregate(uid: UID("p"), nodes: nodes, activeDeadlineSeconds: 3600, at: start) }

    @Test("succeeds when all children did, fails when all are finished and one failed or was deleted")
    func endings() {
        var good = parent()
        for node in nodes { _ = good.apply(.child(node, .succeeded), at: start, limits: limits) }
        #expect(good.phase == .succeeded)

        var bad = parent()
        _ = bad.apply(.child(nodes[0], .deleted), at: start, limits: limits)
        _ = bad.apply(.child(nodes[1], .succeeded), at: start, limits: limits)
        #expect(bad.phase == .running)
        #expect(bad.counts == Aggregate(desired: 3, active: 1, succeeded: 1, failed: 1, nodes: ["a", "b", "c"]))
        _ = bad.apply(.child(nodes[2], .unknown), at: start, limits: limits)
        #expect(bad.phase == .running && bad.unknownNodes == [nodes[2]])
        _ = bad.apply(.child(nodes[2], .succeeded), at: start, limits: limits)
        #expect(bad.phase == .failed)
        #expect(bad.ending?.failure?.reason == "ChildrenFailed")
    }

    @Test("a finished child stays finished, and a finished parent too")
    func final() throws {
        var parent = parent()
        _ = parent.apply(.child(nodes[0], .succeeded), at: start, limits: limits)
        _ = parent.apply(.child(nodes[0], .deleted), at: start, limits: limits)
        #expect(parent.children[nodes[0]] == .succeeded)
        let copy = try JSON.decode(ParentAggregate.self, from: JSON.encode(parent))
        #expect(copy == parent)
    }

    @Test("cancel and the deadline reach the unfinished children once")
    func propagation() {
        var cancelled = parent()
        _ = cancelled.apply(.child(nodes[0], .succeeded), at: start, limits: limits)
        #expect(cancelled.apply(.cancelRequested, at: start, limits: limits) == [.cancelChild(nodes[1]), .cancelChild(nodes[2])])
        #expect(cancelled.apply(.cancelRequested, at: start, limits: limits) == [])
        for node in nodes.dropFirst() { _ = cancelled.apply(.child(node, .failed), at: start, limits: limits) }
        #expect(cancelled.ending?.failure?.reason == "Cancelled")
        var late = parent()
        #expect(late.apply(.clock, at: late.deadline(limits), limits: limits).count == 3)
        #expect(late.apply(.clock, at: late.deadline(limits), limits: limits) == [])
    }

    func candidate(_ index: Int, ttl: Double? = nil, parent: String? = nil) -> GarbageRules.Candidate {
        GarbageRules.Candidate(
            uid: UID("d\(index)"), namespace: "n", name: "d\(index)", node: "a", completedAt: start.adding(seconds: Double(index)),
            ttlSeconds: ttl, parent: parent.map { UID($0) })
    }

    @Test("old ones go, those with a ttl of their own earlier, surplus ones oldest first, and children of the unfinished stay")
    func garbage() {
        var rules = GarbageRules()
        rules.diagnosisTTLSeconds = 100
        rules.finishedPerNodeMax = 3
        let all = [candidate(0, parent: "open"), candidate(1), candidate(2), candidate(3, ttl: 5), candidate(4)]
        func doomed(_ seconds: Double, total: Int) -> [String] {
            rules.doomed(among: all, total: total, at: start.adding(seconds: seconds)) { $0 == UID("open") }.map(\.name)
        }
        #expect(doomed(5, total: 3) == [])
        #expect(doomed(5, total: 5) == ["d1", "d2"])
        #expect(doomed(8, total: 3) == ["d3"])
        #expect(doomed(102, total: 3) == ["d1", "d2", "d3"])
        #expect(doomed(1000, total: 3) == ["d1", "d2", "d3", "d4"])
        #expect(rules.doomed(among: all, total: 5, at: start.adding(seconds: 1000)) { _ in false }.count == 5)
    }
}
