import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite struct ListTests {
    private func fill(_ store: SQLiteStore) async throws {
        var writes: [Write] = []
        for index in 0..<30 {
            let namespace = ["alpha", "beta", "gamma"][index % 3]
            let labels = ["parity": index % 2 == 0 ? "even" : "odd", "index": String(index)]
            writes.append(
                .create(
                    try diagnosis("d-\(index)", namespace: namespace, labels: labels, phase: index % 5 == 0 ? "Failed" : "Succeeded")))
        }
        try await store.transact(writes)
    }

    @Test func selectorsAndNamespaces() async throws {
        try await withStore { store in
            try await fill(store)
            func names(_ query: ListQuery) async throws -> [String] { try await store.list(query).items.map(\.key.name) }
            let even = try LabelSelector(parsing: "parity=even")
            let failed = FieldSelector(requirements: [.init(field: "status.phase", value: "Failed")])
            #expect(try await names(ListQuery(plural: "diagnoses")).count == 30)
            #expect(try await names(ListQuery(plural: "operations")).isEmpty)
            #expect(try await names(ListQuery(plural: "diagnoses", namespace: "beta")).count == 10)
            #expect(try await names(ListQuery(plural: "diagnoses", labels: even)).count == 15)
            #expect(try await names(ListQuery(plural: "diagnoses", labels: even, fields: failed)) == ["d-0", "d-10", "d-20"])
            let one = FieldSelector(requirements: [.init(field: "metadata.name", value: "d-4")])
            #expect(try await names(ListQuery(plural: "diagnoses", fields: one)) == ["d-4"])
            #expect(try await names(ListQuery(plural: "diagnoses", namespace: "beta", fields: one)) == ["d-4"])
            #expect(try await names(ListQuery(plural: "diagnoses", namespace: "alpha", fields: one)).isEmpty)
            let odd = try LabelSelector(parsing: "parity=odd")
            #expect(try await names(ListQuery(plural: "diagnoses", namespace: "beta", labels: odd, fields: one)).isEmpty)
        }
    }

    @Test(arguments: [nil, "beta"], [1, 7, 10, 30, 100])
    func pagesAddUpToTheWhole(namespace: String?, limit: Int) async throws {
        try await withStore { store in
            try await fill(store)
            for selector in ["", "parity=even"] {
                let labels = try LabelSelector(parsing: selector)
                let whole = try await store.list(ListQuery(plural: "diagnoses", namespace: namespace, labels: labels))
                #expect(whole.items.count == (namespace == nil ? 30 : 10) / (selector.isEmpty ? 1 : 2))
                var items: [StoredObject] = []
                var continuation: String?
                repeat {
                    let page = try await store.list(
                        ListQuery(plural: "diagnoses", namespace: namespace, labels: labels, limit: limit, continuation: continuation))
                    items += page.items
                    continuation = page.continuation
                    #expect(page.items.count == limit || continuation == nil)
                    #expect(page.revision == whole.revision)
                    let expected = continuation == nil || !selector.isEmpty ? nil : whole.items.count - items.count
                    #expect(page.remaining == expected)
                } while continuation != nil
                #expect(items == whole.items)
            }
        }
    }

    @Test func theKeyOrderIsThatOfBytes() async throws {
        try await withStore { store in
            let names = ["ä", "a", "B", "b", "a-1", "a.1", "10", "9"]
            for name in names.shuffled() { try await store.create(diagnosis(name, namespace: "n")) }
            let listed = try await store.list(ListQuery(plural: "diagnoses")).items.map(\.key.name)
            #expect(listed == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
    }

    @Test func aContinuedPageKeepsTheFirstRevisionWhileTheStoreMovesOn() async throws {
        try await withStore { store in
            try await fill(store)
            let first = try await store.list(ListQuery(plural: "diagnoses", limit: 5))
            try await store.create(diagnosis("zz", namespace: "zz"))
            let second = try await store.list(ListQuery(plural: "diagnoses", limit: 100, continuation: first.continuation))
            #expect(second.revision == first.revision)
            #expect(second.items.count == 25)
            #expect(!second.items.contains { $0.key.name == "zz" })
            // The watch from that revision tells of what has happened since.
            let events = try await take(1, from: store.watch(WatchQuery(plural: "diagnoses", start: .after(second.revision))))
            #expect(events.map { spelled($0, from: first.revision) } == ["+zz@1"])
        }
    }

    @Test func foreignAndBrokenContinuationsAreRefused() async throws {
        try await withStore { store in
            try await fill(store)
            let token = try await store.list(ListQuery(plural: "diagnoses", limit: 5)).continuation
            await expectFailure("invalid") { _ = try await store.list(ListQuery(plural: "agents", limit: 5, continuation: token)) }
            await expectFailure("invalid") {
                _ = try await store.list(ListQuery(plural: "diagnoses", namespace: "beta", limit: 5, continuation: token))
            }
            for text in ["", "!", "bm9uc2Vuc2U=", "W10="] {
                await expectFailure("invalid") { _ = try await store.list(ListQuery(plural: "diagnoses", limit: 5, continuation: text)) }
            }
            try await withStore { other in
                await expectFailure("tooOld") { _ = try await other.list(ListQuery(plural: "diagnoses", limit: 5, continuation: token)) }
            }
        }
    }
}
