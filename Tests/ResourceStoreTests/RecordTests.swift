import Model
import ResourceStore
import Testing

@Suite struct RecordTests {
    @Test func recordsAreVersionedByTheirWrites() async throws {
        try await withStore { store in
            let first = try await store.transact([.putRecord(bucket: "plans", key: "k", value: [1], condition: .absent)]).recordVersions[0]
            await expectFailure("record 0") {
                try await store.transact([.putRecord(bucket: "plans", key: "k", value: [2], condition: .absent)])
            }
            let second = try await store.transact([
                .putRecord(bucket: "plans", key: "k", value: [2], expiresAt: Timestamp(seconds: 9), condition: .version(first))
            ]).recordVersions[0]
            await expectFailure("record 0") {
                try await store.transact([.deleteRecord(bucket: "plans", key: "k", condition: .version(first))])
            }
            let expected = Record(bucket: "plans", key: "k", value: [2], version: second, expiresAt: Timestamp(seconds: 9))
            #expect(try await store.record(bucket: "plans", key: "k") == expected)
            #expect(try await store.record(bucket: "other", key: "k") == nil)

            try await store.transact([.deleteRecord(bucket: "plans", key: "k", condition: .version(second))])
            #expect(try await store.record(bucket: "plans", key: "k") == nil)
            try await store.transact([.deleteRecord(bucket: "plans", key: "k")])
        }
    }

    @Test func anEmptyValueAndManyKeysAtOnce() async throws {
        try await withStore { store in
            try await store.transact([.putRecord(bucket: "b", key: "x", value: []), .putRecord(bucket: "b", key: "y", value: [7])])
            let found = try await store.records(bucket: "b", keys: ["x", "y", "z"])
            #expect(found.mapValues(\.value) == ["x": [], "y": [7]])
        }
    }

    @Test func scansByPrefixInPages() async throws {
        try await withStore { store in
            let keys = ["a", "job/", "job/1", "job/2", "job/ü", "job/\u{10FFFF}x", "job0", "z"]
            try await store.transact(keys.map { .putRecord(bucket: "b", key: $0, value: Array($0.utf8)) })
            func scan(_ prefix: String, after: String?, _ limit: Int) async throws -> [String] {
                try await store.scanRecords(bucket: "b", prefix: prefix, after: after, limit: limit).map(\.key)
            }
            #expect(try await scan("job/", after: nil, 3) == ["job/", "job/1", "job/2"])
            #expect(try await scan("job/", after: "job/2", 3) == ["job/ü", "job/\u{10FFFF}x"])
            #expect(try await scan("job/", after: "a", 1) == ["job/"])
            #expect(try await scan("job/", after: "z", 5).isEmpty)
            #expect(try await scan("", after: nil, 100) == keys)
            #expect(try await scan("", after: nil, 0).isEmpty)
        }
    }

    @Test func purgeTakesTheOldestThatHaveExpired() async throws {
        try await withStore { store in
            for (key, seconds) in [("a", 30), ("b", 10), ("c", 20), ("d", 40)] {
                try await store.transact([.putRecord(bucket: "b", key: key, value: [], expiresAt: Timestamp(seconds: Int64(seconds)))])
            }
            try await store.transact([.putRecord(bucket: "b", key: "forever", value: [])])
            let before = try await store.currentRevision()
            #expect(try await store.purgeExpiredRecords(now: Timestamp(seconds: 30), limit: 2) == 2)
            #expect(try await store.scanRecords(bucket: "b", prefix: "", after: nil, limit: 9).map(\.key) == ["a", "d", "forever"])
            #expect(try await store.purgeExpiredRecords(now: Timestamp(seconds: 30), limit: 2) == 1)
            #expect(try await store.purgeExpiredRecords(now: Timestamp(seconds: 30), limit: 2) == 0)
            #expect(try await store.currentRevision() == before)
        }
    }
}
