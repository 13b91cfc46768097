import Model
import Testing

@testable import SchedulerCore

@Suite("Who runs next")
struct DispatchQueueTests {
    let node = NodeName("web-07")

    func uids(_ range: Range<Int>) -> [UID] { range.map { UID("d\($0)") } }

    @Test("first come first served, with as many at once as the agent takes")
    func order() {
        var queue = DispatchQueue()
        for uid in uids(0..<5) { queue.enqueue(uid, on: node) }
        #expect(queue.takeGrants(node) == [])
        queue.setLane(node, capacity: 2, isOpen: true)
        #expect(queue.takeGrants(node) == uids(0..<2))
        #expect(queue.takeGrants(node) == [])
        #expect(queue.countAhead(of: UID("d4")) == 2)
        queue.remove(UID("d3"))
        queue.remove(UID("d0"))
        #expect(queue.takeGrants(node) == [UID("d2")])
        queue.remove(UID("d1"))
        #expect(queue.takeGrants(node) == [UID("d4")])
        #expect(queue.waitingTotal == 0 && queue.runningTotal == 2)
    }

    @Test("nothing leaves a closed lane or a paused queue")
    func brakes() {
        var queue = DispatchQueue()
        queue.setLane(node, capacity: 9, isOpen: true)
        queue.setPaused(true)
        queue.enqueue(UID("a"), on: node)
        #expect(queue.takeGrants(node) == [])
        queue.setPaused(false)
        queue.setLane(node, capacity: 9, isOpen: false)
        #expect(queue.takeGrants(node) == [])
        queue.setLane(node, capacity: 9, isOpen: true)
        #expect(queue.takeGrants(node) == [UID("a")])
    }

    @Test("one that was dispatched before a restart holds its slot")
    func occupied() {
        var queue = DispatchQueue()
        queue.occupy(UID("old"), on: node)
        queue.setLane(node, capacity: 1, isOpen: true)
        queue.enqueue(UID("new"), on: node)
        #expect(queue.takeGrants(node) == [])
        queue.remove(UID("old"))
        #expect(queue.takeGrants(node) == [UID("new")])
    }

    @Test("against a plain model, from a seed", arguments: 0..<30)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = DispatchQueue()
        var waiting: [NodeName: [UID]] = [:]
        var running: [NodeName: [UID]] = [:]
        let nodes = ["a", "b"].map { NodeName($0) }
        for node in nodes { queue.setLane(node, capacity: 3, isOpen: true) }
        for step in 0..<1500 {
            let node = nodes.randomElement(using: &random)!
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                queue.enqueue(UID("\(step)"), on: node)
                waiting[node, default: []].append(UID("\(step)"))
            case 2:
                guard let uid = (waiting[node, default: []] + running[node, default: []]).randomElement(using: &random) else { continue }
                queue.remove(uid)
                waiting[node]?.removeAll { $0 == uid }
                running[node]?.removeAll { $0 == uid }
            default:
                let free = 3 - running[node, default: []].count
                let expected = Array(waiting[node, default: []].prefix(free))
                #expect(queue.takeGrants(node) == expected, "seed \(seed) step \(step)")
                waiting[node]?.removeFirst(expected.count)
                running[node, default: []] += expected
            }
            #expect(queue.waitingCount(node) == waiting[node, default: []].count)
        }
    }

    @Test("a heap of deadlines gives them in order, each id once", arguments: 0..<10)
    func heap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = DeadlineHeap<Int>()
        var model: [Int: Timestamp] = [:]
        for _ in 0..<3000 {
            let id = Int.random(in: 0..<200, using: &random)
            let time = Bool.random(using: &random) ? Timestamp(seconds: Int64.random(in: 0..<10_000, using: &random)) : nil
            heap.set(id, at: time)
            model[id] = time
            #expect(heap.earliest() == model.values.min())
        }
        var last = Timestamp(seconds: -1)
        while let id = heap.popDue(at: Timestamp(seconds: 20_000)) {
            let time = model.removeValue(forKey: id)
            #expect(time! >= last)
            last = time!
        }
        #expect(model.isEmpty)
    }
}
