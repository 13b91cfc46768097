import JSONCoding
import Model
import ResourceStore
import Testing

@testable import ResourceAPI

/// All of a list is of one moment, however it comes to its client.
@Suite(.timeLimit(.minutes(2))) struct SnapshotListTests {
    /// A list that its history has left: 410, and a token that goes on with what is there now.
    @Test func expiredPages() async throws {
        let options = APIOptions(store: {
            $0.historyEventsMax = 5
            $0.holdSeconds = 0
        })
        try await withAPI(options) { api in
            try await ListTests.fill(api, count: 6)
            let first = try await api.send(.get, APIFixture.operations + "?limit=2")
            let token = try #require(first.json[path: "metadata", "continue"]?.stringValue)
            try await api.send(.delete, APIFixture.operations + "/op-00003").expect(200)
            let second = try await api.send(.get, APIFixture.operations + "?limit=2&continue=\(token)")
            #expect(second.names == ["op-00002", "op-00003"])
            #expect(second.json[path: "metadata", "remainingItemCount"] == 2)

            for name in ["a", "b", "op-000030", "y", "z"] { try await api.send(.post, APIFixture.operations, operation(name)).expect(201) }
            let expired = try await api.send(.get, APIFixture.operations + "?limit=2&continue=\(token)").expect(410)
            #expect(expired.reason == "Expired")
            #expect(expired.json["kind"] == "Status")
            #expect(expired.message.contains("List again without it"))
            let present = try #require(expired.json[path: "metadata", "continue"]?.stringValue)
            let third = try await api.send(.get, APIFixture.operations + "?limit=2&continue=\(present)").expect(200)
            #expect(third.names == ["op-00002", "op-000030"])
            #expect(try await third.resourceVersion == String(api.store.currentRevision()))
            // From there on it is one moment again: this one.
            let fourthToken = try #require(third.json[path: "metadata", "continue"]?.stringValue)
            try await api.send(.delete, APIFixture.operations + "/op-00004").expect(200)
            let fourth = try await api.send(.get, APIFixture.operations + "?continue=\(fourthToken)").expect(200)
            #expect(fourth.names == ["op-00004", "op-00005", "y", "z"])
            #expect(fourth.resourceVersion == third.resourceVersion)
            // The other token goes with the selectors of its list, as ever.
            try await api.send(.get, APIFixture.operations + "?labelSelector=a&continue=\(present)").expect(400)
        }
    }

    /// A token whose hour is over says how to go on, too.
    @Test func tokensThatAreTooOldInTime() async throws {
        try await withAPI { api in
            try await ListTests.fill(api, count: 3)
            let first = try await api.send(.get, APIFixture.operations + "?limit=1")
            let token = try #require(first.json[path: "metadata", "continue"]?.stringValue)
            api.clock.advance(seconds: ContinueToken.secondsMax + 1)
            let expired = try await api.send(.get, APIFixture.operations + "?continue=\(token)").expect(410)
            let present = try #require(expired.json[path: "metadata", "continue"]?.stringValue)
            #expect(try await api.send(.get, APIFixture.operations + "?continue=\(present)").names == ["op-00001", "op-00002"])
        }
    }

    /// Transactions change the first object and the last as one; no list, streamed whole or read in pages, sees one without the other.
    @Test(arguments: ["", "limit=333", "limit=90", "labelSelector=odd"]) func longListsBesideAWriter(query: String) async throws {
        let count = 3 * KindVerbs.pageObjectsMax + 17
        try await withAPI { api in
            try await ListTests.fill(api, count: count)
            let writing = Task {
                var number = 0
                while !Task.isCancelled {
                    number += 1
                    var writes = try [0, count - 1].map { index in Write.update(try Self.numbered(index, number), ifRevision: nil) }
                    // One that comes and goes in the middle.
                    let passing = try Self.numbered(300, number, suffix: "-passing")
                    writes.append(number % 2 == 1 ? .create(passing) : .delete(passing.key))
                    try await api.store.transact(writes)
                }
            }
            var moments: Set<String> = []
            for _ in 0..<12 {
                let items = try await Self.whole(api, query)
                let numbers = items.compactMap { $0[path: "metadata", "labels", "number"]?.stringValue }
                let hasPassing = numbers.count == 3
                #expect(numbers.isEmpty || numbers.first == numbers.last)
                #expect(items.count == count + (hasPassing ? 1 : 0))
                if let number = numbers.first.flatMap({ Int($0) }) { #expect((number % 2 == 1) == hasPassing) }
                moments.insert(numbers.first ?? "")
            }
            writing.cancel()
            try? await writing.value
            #expect(moments.count > 3, "the writer did not get on meanwhile")
        }
    }

    private static func numbered(_ index: Int, _ number: Int, suffix: String = "") throws -> EncodedObject {
        let digits = String(index)
        let name = "op-" + String(repeating: "0", count: 5 - digits.count) + digits + suffix
        var json = operation(name, labels: ["odd": "no", "number": .string(String(number))])
        json["metadata"]?["uid"] = .string("uid-\(index)\(suffix)")
        return try EncodedObject(json, definition: Operation.definition)
    }

    private static func whole(_ api: APIFixture, _ query: String) async throws -> [JSON] {
        var items: [JSON] = []
        var token: String?
        repeat {
            let page = try await api.send(.get, APIFixture.operations + "?\(query)" + (token.map { "&continue=\($0)" } ?? "")).expect(200)
            items += page.json["items"]?.arrayValue ?? []
            token = page.json[path: "metadata", "continue"]?.stringValue
        } while token != nil
        return items
    }
}
