import JSONCoding
import Model
import ResourceOwnership
import Testing

/// A world of objects that is collected by the decisions alone: events come late and in any order, as the seed says.
private struct World {
    var random: Dice
    var objects: [UID: JSON] = [:]
    var graph = OwnershipGraph()
    var queue: Set<UID> = []
    /// Changes that the graph has not heard of yet, in order.
    var news: [UID] = []
    /// Who was deleted by a person, or rightly by the collector.
    var mayGo: Set<UID> = []
    /// Owners that cannot be asked about now.
    var hidden: Set<UID> = []
    private var made = 0
    private static let now = Timestamp(seconds: 1_800_000_000)

    init(seed: UInt64) { random = Dice(state: seed) }

    func object(_ uid: UID) -> OwnedObject? { objects[uid].flatMap { OwnedObject($0, plural: "operations") } }

    mutating func create() {
        made += 1
        let uid = UID("u\(made)")
        let candidates = objects.keys.sorted() + [UID("never-\(made)")]
        var owners: [JSON] = []
        for candidate in (0..<random.below(3)).map({ _ in candidates[random.below(candidates.count)] }) {
            guard !owners.contains(where: { $0["uid"]?.stringValue == candidate.rawValue }) else { continue }
            owners.append([
                "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Operation", "name": .string(candidate.rawValue),
                "uid": .string(candidate.rawValue), "blockOwnerDeletion": .bool(random.below(2) == 0),
            ])
        }
        var metadata: [String: JSON] = ["name": .string(uid.rawValue), "uid": .string(uid.rawValue)]
        if !owners.isEmpty { metadata["ownerReferences"] = .array(owners) }
        store(["metadata": .object(metadata)], uid)
    }

    /// Also makes circles, which only an update can.
    mutating func adopt() {
        let uids = objects.keys.sorted()
        guard uids.count > 1 else { return }
        let (child, owner) = (uids[random.below(uids.count)], uids[random.below(uids.count)])
        guard var document = objects[child], !document.isBeingDeleted else { return }
        document["metadata"]?["ownerReferences"] = [
            [
                "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Operation", "name": .string(owner.rawValue),
                "uid": .string(owner.rawValue), "blockOwnerDeletion": true,
            ]
        ]
        store(document, child)
    }

    mutating func delete() {
        let uids = objects.keys.sorted()
        guard !uids.isEmpty else { return }
        let uid = uids[random.below(uids.count)]
        mayGo.insert(uid)
        carryOut(DeletionPlan(objects[uid] ?? .null, DeletionPropagation.allCases[random.below(3)], at: Self.now), uid)
    }

    private mutating func store(_ document: JSON, _ uid: UID) {
        objects[uid] = document
        news.append(uid)
    }

    private mutating func carryOut(_ plan: DeletionPlan, _ uid: UID) {
        switch plan {
        case .keep: return
        case .remove:
            #expect(mayGo.contains(uid), "\(uid) went without a reason")
            objects[uid] = nil
            news.append(uid)
        case .store(let document): store(document, uid)
        }
    }

    /// The graph hears of one change.
    mutating func hear() {
        guard !news.isEmpty else { return }
        let uid = news.removeFirst()
        queue.formUnion(object(uid).map { graph.put($0) } ?? graph.remove(uid))
    }

    /// The collector looks at one object.
    mutating func look() {
        guard !queue.isEmpty else { return }
        let uids = queue.sorted()
        let uid = uids[random.below(uids.count)]
        queue.remove(uid)
        guard let object = object(uid), let document = objects[uid] else { return }
        let states = object.owners.map { state($0.uid) }
        switch Verdict(object, states, dependents: graph.dependents(of: uid)) {
        case .keep: break
        case .undecided: queue.insert(uid)
        case .release(let owners): return store(document.releasing(owners), uid)
        case .delete(let propagation, let unblocks):
            mayGo.insert(uid)
            return carryOut(DeletionPlan(unblocks ? document.unblocking : document, propagation, at: Self.now), uid)
        }
        guard [.foreground, .orphan].contains(object.deletion) else { return }
        // Nobody says that there are no dependents before having heard everything.
        while !graph.isHeld(object), !news.isEmpty { hear() }
        if !graph.isHeld(object) {
            carryOut(DeletionPlan(document, without: object.deletion == .orphan ? "orphan" : "foregroundDeletion"), uid)
        }
    }

    private func state(_ uid: UID) -> OwnerState {
        if hidden.contains(uid) { return .undecided }
        guard let owner = object(uid) else { return .absent }
        switch owner.deletion {
        case .foreground: return .leaving
        case .orphan: return .orphaning
        case .unrequested, .requested: return .present
        }
    }

    mutating func settle(steps: Int) -> Bool {
        for _ in 0..<steps {
            if news.isEmpty, queue.isEmpty { return true }
            if !news.isEmpty, queue.isEmpty || random.below(2) == 0 { hear() } else { look() }
        }
        return false
    }
}

/// SplitMix64.
private struct Dice {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(limit))
    }
}

@Suite struct CollectionTests {
    /// Whatever happens in whatever order: what an owner wants stays, what nobody wants goes, and nothing waits for ever.
    @Test(arguments: 0..<300 as Range<UInt64>) func everythingSettles(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<120 {
            switch world.random.below(10) {
            case 0..<4: world.create()
            case 4: world.adopt()
            case 5: world.delete()
            case 6, 7: world.hear()
            case 8: world.look()
            default: world.hidden = world.random.below(2) == 0 ? [] : Set(world.objects.keys.sorted().prefix(3))
            }
        }
        world.hidden = []
        let isSettled = world.settle(steps: 100_000)
        #expect(isSettled, "seed \(seed) does not settle")
        for (uid, document) in world.objects {
            guard let object = world.object(uid) else { continue }
            #expect(!document.isBeingDeleted, "seed \(seed): \(uid) waits for ever")
            #expect(
                object.owners.isEmpty || object.owners.allSatisfy { world.objects[$0.uid] != nil }, "seed \(seed): \(uid) \(object.owners)")
            #expect(world.graph[uid] == (object.isOfInterest ? object : nil), "seed \(seed): the graph is not the world")
        }
        #expect(world.graph.objects.keys.allSatisfy { world.objects[$0] != nil }, "seed \(seed)")
    }
}
