import JSONCoding
import Model
import ResourceStore
import Testing

@testable import ResourceClient

@Suite("What an informer knows")
struct InformerValueTests {
    private typealias Cache = InformerCache<Int>

    private func key(_ name: String) -> ObjectKey { ObjectKey(plural: "things", name: name) }

    private func arrival(_ name: String, _ version: Int, uid: String = "u", _ object: Int? = 0) -> Cache.Arrival {
        Cache.Arrival(key: key(name), uid: uid, resourceVersion: String(version), object: object)
    }

    private func text(_ changes: [InformerChange<Int>]) -> [String] {
        changes.map { change in
            switch change {
            case .added(let key, let object): "+\(key.name)=\(object)"
            case .updated(let key, let old, let new): "~\(key.name)=\(old)>\(new)"
            case .deleted(let key, let last): "-\(key.name)=\(last)"
            case .synced: "synced"
            }
        }
    }

    @Test func eventsThatAListHasOvertakenAreDropped() {
        var cache = Cache()
        cache.beginList()
        #expect(text(cache.list(arrival("a", 12, 12))) == ["+a=12"])
        #expect(text(cache.endList()) == [])
        // The watch replays from the first page's version, 9.
        #expect(text(cache.put(event: arrival("a", 10, 10))) == [])
        #expect(text(cache.put(event: arrival("a", 12, 12))) == [])
        #expect(text(cache.put(event: arrival("a", 13, 13))) == ["~a=12>13"])
    }

    @Test func aDeletionOfAnEarlierNamesakeIsNotThePresentOnes() {
        var cache = Cache()
        _ = cache.put(event: arrival("a", 5, uid: "new", 5))
        #expect(text(cache.delete(event: arrival("a", 4, uid: "old"))) == [])
        #expect(text(cache.put(event: arrival("a", 3, uid: "other", 3))) == ["-a=5", "+a=3"])
        #expect(text(cache.delete(event: arrival("a", 6, uid: "other"))) == ["-a=3"])
        #expect(text(cache.delete(event: arrival("a", 7, uid: "other"))) == [])
    }

    @Test func aListFromAnotherStoreReplacesEverything() {
        var cache = Cache()
        for name in ["a", "b", "c"] { _ = cache.put(event: arrival(name, 1_000, uid: "u-\(name)", 1)) }
        cache.beginList()
        // Lower versions, as from a store that was made anew.
        #expect(text(cache.list(arrival("a", 5, uid: "u-a", 2))) == ["~a=1>2"])
        #expect(text(cache.list(arrival("b", 6, uid: "new", 2))) == ["-b=1", "+b=2"])
        #expect(text(cache.endList()) == ["-c=1"])
    }

    /// Whatever is offered and whenever the reader looks, in the end it has been shown the true state, and nothing piles up.
    @Test(arguments: 0..<20)
    func pendingUpdatesEndInTheTruth(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pending = PendingUpdates<Int>()
        var truth: [ObjectKey: Int] = [:]
        var shown: [ObjectKey: Int] = [:]
        func read() {
            switch pending.take() {
            case .present(let key, let object): shown[key] = object
            case .gone(let key, _):
                #expect(shown.removeValue(forKey: key) != nil, "seed \(seed): gone without having been shown")
            case .synced, nil: break
            }
        }
        // The bound holds whenever something was put; reading only makes it smaller than what is still in order.
        func checkBound() {
            #expect(pending.orderCount <= 2 * (truth.count + shown.count) + 1_024, "seed \(seed): keys pile up")
        }
        for step in 0..<20_000 {
            let key = key("\(Int.random(in: 0..<(seed % 2 == 0 ? 50 : 1_000_000), using: &random))")
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                truth[key] = step
                pending.put(.present(key, step))
                checkBound()
                if seed % 3 == 0, let last = truth.removeValue(forKey: key) { pending.put(.gone(key, last: last)) }
            case 5..<8:
                if let victim = truth.keys.randomElement(using: &random), let last = truth.removeValue(forKey: victim) {
                    pending.put(.gone(victim, last: last))
                }
            default: if seed % 5 != 0 { read() }
            }
        }
        pending.put(.synced)
        while !pending.isEmpty { read() }
        #expect(shown == truth, "seed \(seed)")
    }

    @Test func syncedKeepsItsPlace() {
        var pending = PendingUpdates<Int>()
        pending.put(.present(key("a"), 1))
        pending.put(.synced)
        pending.put(.synced)
        for number in 0..<5_000 {
            pending.put(.present(key("short-\(number)"), 1))
            pending.put(.gone(key("short-\(number)"), last: 1))
        }
        pending.put(.present(key("b"), 1))
        var order: [String] = []
        while let update = pending.take() {
            switch update {
            case .present(let key, _): order.append(key.name)
            case .gone(let key, _): order.append("-\(key.name)")
            case .synced: order.append("synced")
            }
        }
        #expect(order == ["a", "synced", "b"])
        #expect(pending.isEmpty)
    }
}

/// SplitMix64: one seed, one sequence.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
