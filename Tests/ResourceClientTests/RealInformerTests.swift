import HTTPClient
import Model
import ResourceClient
import Synchronization
import Testing

@Suite("Informer over the real API")
struct RealInformerTests {
    /// Objects come, change and go while the server restarts and forgets its history; in the end both sides know the same.
    @Test(arguments: [nil, 40])
    func endsInTheOwnersState(historyEventsMax: Int?) async throws {
        let owner = Owner(historyEventsMax: historyEventsMax)
        try owner.start()
        try await withHTTP { (http) async throws in
            let client = owner.client(http)
            let present = Mutex<[String: String]>([:])
            let notes = Notes()
            let options = InformerOptions(
                pageObjectsMax: 7, backoff: RetryPolicy(attemptsMax: 1, backoffSeconds: 0.02, backoffSecondsMax: 0.2))
            let informer = Informer<Operation>(client: client, options: options, logger: silent) { change in
                switch change {
                case .added(let key, let object):
                    if present.withLock({ $0.updateValue(object.uid.rawValue, forKey: key.name) }) != nil {
                        notes.add("added twice: \(key)")
                    }
                case .updated(let key, let old, let new):
                    if old.uid != new.uid || present.withLock({ $0[key.name] }) != old.uid.rawValue { notes.add("updated unseen: \(key)") }
                case .deleted(let key, let last):
                    if present.withLock({ $0.removeValue(forKey: key.name) }) != last.uid.rawValue { notes.add("deleted unseen: \(key)") }
                case .synced: break
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await informer.run() }
                var random = SeededGenerator(seed: UInt64(historyEventsMax ?? 0))
                for round in 0..<4 {
                    for _ in 0..<80 {
                        let name = "op-\(Int.random(in: 0..<20, using: &random))"
                        switch Int.random(in: 0..<3, using: &random) {
                        case 0: _ = await refusal { try await client.delete(Operation.self, name: name) }
                        default:
                            let object = makeOperation(name, script: "echo \(random.next())")
                            if await refusal({ _ = try await client.create(object) })?.code == 409 { _ = try await client.update(object) }
                        }
                    }
                    if round < 3 {
                        await owner.stop()
                        try owner.start()
                    }
                }
                let list = try await client.list(Operation.self)
                let truth = Dictionary(uniqueKeysWithValues: list.items.map { ($0.name, $0) })
                #expect(
                    await eventually {
                        Dictionary(uniqueKeysWithValues: informer.snapshot.map { ($0.key.name, $0.value) }) == truth
                    })
                #expect(present.withLock { $0 } == truth.mapValues(\.uid.rawValue))
                #expect(notes.all == [])
                group.cancelAll()
            }
        }
        await owner.stop()
    }
}
