import Digests
import Model
import ResourceStore
import Testing

@testable import ResourceAPI

@Suite struct ContinueTokenTests {
    private let issued = Timestamp(seconds: 1_800_000_000)
    private let query = ListQuery(plural: "diagnoses", namespace: "a")

    private func text(_ continuation: String = "store's own/é") -> String {
        ContinueToken(storeContinuation: continuation, query: query, issuedAt: issued).text(storeID: "store-1")
    }

    private func read(
        _ text: String, _ query: ListQuery? = nil, storeID: String = "store-1", after seconds: Double = 1
    ) throws(APIError) -> String {
        try ContinueToken(text: text, query: query ?? self.query, storeID: storeID, now: issued.adding(seconds: seconds)).storeContinuation
    }

    @Test func roundTrips() throws {
        for continuation in ["", "x", "store's own/é", String(repeating: "n", count: 600)] {
            #expect(try read(text(continuation)) == continuation)
        }
    }

    @Test func changedLimitsAreTheSameQuery() throws {
        var query = query
        query.limit = 7
        query.continuation = "other"
        #expect(try read(text(), query) == "store's own/é")
    }

    @Test func otherQueriesAreRefused() throws {
        let others = [
            ListQuery(plural: "operations", namespace: "a"), ListQuery(plural: "diagnoses"), ListQuery(plural: "diagnoses", namespace: "b"),
            ListQuery(plural: "diagnoses", namespace: "a", labels: try LabelSelector(parsing: "x=y")),
            ListQuery(plural: "diagnoses", namespace: "a", fields: try FieldSelector(parsing: "metadata.name=x", selectable: [])),
        ]
        for other in others {
            let error = #expect(throws: APIError.self) { try read(text(), other) }
            #expect(error?.code == 400)
        }
    }

    @Test func expiresAndBelongsToItsStore() throws {
        #expect(throws: Never.self) { try read(text(), after: ContinueToken.secondsMax) }
        let old = #expect(throws: APIError.self) { try read(text(), after: ContinueToken.secondsMax + 1) }
        #expect(old?.code == 410)
        #expect(old?.reason == "Expired")
        let foreign = #expect(throws: APIError.self) { try read(text(), storeID: "store-2") }
        #expect(foreign?.code == 410)
    }

    @Test func everyFlippedBitIsNoticed() throws {
        let good = try #require(Digest.bytes(base32: text()))
        for index in good.indices {
            var bad = good
            bad[index] ^= 1 << UInt8.random(in: 0..<8)
            let error = #expect(throws: APIError.self) { try read(Digest.base32(bad)) }
            #expect(error?.code == 410, "byte \(index)")
        }
    }

    @Test(arguments: ["", "x", "not base32!", "aaaaaaaa", String(repeating: "a", count: 10_000)])
    func whatIsNoTokenIsRefused(text: String) {
        let error = #expect(throws: APIError.self) { try read(text) }
        #expect(error?.code == 400)
    }
}
