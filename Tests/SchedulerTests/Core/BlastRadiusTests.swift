import Model
import Testing

@testable import SchedulerCore

/// The value in a box, so that expectations can change it.
private final class Radius {
    private var value: BlastRadius

    init(_ limit: BlastRadius.Limit) { value = BlastRadius(limit) }

    var nodes: [NodeName] { value.nodes }
    var waitingCount: Int { value.waitingCount }
    func nodesMax(ready: Int) -> Int? { value.nodesMax(ready: ready) }
    func take(_ uid: UID, on node: NodeName, ready: Int) -> Bool { value.take(uid, on: node, ready: ready) }
    func release(_ uid: UID) { value.release(uid) }
    func call(ready: Int) -> [(uid: UID, node: NodeName)] { value.call(ready: ready) }
}

@Suite("How many nodes may be changed at once")
struct BlastRadiusTests {
    @Test("a limit is a number, a percentage or off, and nothing else")
    func limits() {
        #expect(BlastRadius.Limit("3") == .nodes(3))
        #expect(BlastRadius.Limit("25%") == .percent(25))
        #expect(BlastRadius.Limit("off") == .unlimited)
        for text in ["", "0", "-1", "0%", "101%", "%", "1.5", "all", "3 "] { #expect(BlastRadius.Limit(text) == nil, "\(text)") }
        #expect(BlastRadius(.percent(25)).nodesMax(ready: 11) == 2)
        #expect(BlastRadius(.percent(25)).nodesMax(ready: 0) == 1)
    }

    @Test("the next node waits until the last diagnosis of one has ended; a second diagnosis of it passes")
    func order() {
        let radius = Radius(.nodes(1))
        let (a, b, c) = (NodeName("a"), NodeName("b"), NodeName("c"))
        #expect(radius.take(UID("a1"), on: a, ready: 9))
        #expect(!radius.take(UID("b1"), on: b, ready: 9))
        #expect(!radius.take(UID("c1"), on: c, ready: 9))
        #expect(radius.take(UID("a2"), on: a, ready: 9))
        radius.release(UID("a1"))
        #expect(radius.call(ready: 9).isEmpty)
        radius.release(UID("a2"))
        #expect(radius.call(ready: 9).map(\.uid) == [UID("b1")])
        #expect(radius.take(UID("b1"), on: b, ready: 9))
        #expect(radius.waitingCount == 1 && radius.nodes == [b])
    }

    @Test("one that was called and does not come holds nobody up, and keeps its turn")
    func absent() {
        let radius = Radius(.nodes(1))
        #expect(radius.take(UID("a"), on: NodeName("a"), ready: 1))
        for name in ["b", "c", "d"] { #expect(!radius.take(UID(name), on: NodeName(name), ready: 1)) }
        radius.release(UID("a"))
        #expect(radius.call(ready: 1).map(\.uid) == [UID("b")])
        #expect(radius.call(ready: 1).map(\.uid) == [UID("c")])
        #expect(radius.take(UID("c"), on: NodeName("c"), ready: 1))
        #expect(!radius.take(UID("b"), on: NodeName("b"), ready: 1))
        radius.release(UID("c"))
        #expect(radius.call(ready: 1).map(\.uid) == [UID("b")])
    }

    @Test("against a plain model, from a seed: never beyond the limit, nobody is forgotten", arguments: 0..<40)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit: BlastRadius.Limit = [.nodes(1), .nodes(3), .percent(30), .unlimited].randomElement(using: &random)!
        let radius = Radius(limit)
        var ready = 8
        let nodes = (0..<8).map { NodeName("node-\($0)") }
        var place: [UID: NodeName] = [:]
        var inside: Set<UID> = []
        func nodesInside() -> Set<NodeName> { Set(inside.compactMap { place[$0] }) }
        func ask(_ uid: UID) {
            let node = place[uid]!
            let before = nodesInside()
            let fits = before.contains(node) || (radius.nodesMax(ready: ready).map { before.count < $0 } ?? true)
            #expect(radius.take(uid, on: node, ready: ready) == fits, "seed \(seed)")
            if fits { inside.insert(uid) }
        }
        for step in 0..<2000 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                let uid = UID("\(step)")
                place[uid] = nodes.randomElement(using: &random)!
                ask(uid)
            case 2:
                guard let uid = inside.sorted().randomElement(using: &random) else { continue }
                radius.release(uid)
                inside.remove(uid)
                place[uid] = nil
            case 3:
                guard let uid = place.keys.filter({ !inside.contains($0) }).sorted().randomElement(using: &random) else { continue }
                radius.release(uid)
                place[uid] = nil
            default:
                ready = Int.random(in: 0...8, using: &random)
                for (uid, node) in radius.call(ready: ready) {
                    #expect(place[uid] == node && !inside.contains(uid))
                    if Int.random(in: 0..<4, using: &random) > 0 {
                        ask(uid)
                    } else {
                        radius.release(uid)
                        place[uid] = nil
                    }
                }
            }
            #expect(Set(radius.nodes) == nodesInside() && radius.waitingCount == place.count - inside.count, "seed \(seed) step \(step)")
        }
        // Whoever is left comes in once the others end.
        var rounds = 0
        while !place.isEmpty {
            rounds += 1
            guard rounds < 10_000 else {
                Issue.record("seed \(seed): \(place.count) never came in")
                return
            }
            for uid in inside.sorted() {
                radius.release(uid)
                place[uid] = nil
            }
            inside = []
            for (uid, _) in radius.call(ready: ready) { ask(uid) }
        }
        #expect(radius.waitingCount == 0)
    }
}
