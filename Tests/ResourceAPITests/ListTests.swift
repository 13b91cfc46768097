import JSONCoding
import Model
import ResourceStore
import Testing

@testable import ResourceAPI

@Suite struct ListTests {
    private static let everywhere = "/apis/diagnosis.kubediag.org/v1/diagnoses"

    /// Puts Operations into the store as a service would, without the API in between.
    static func fill(_ api: APIFixture, count: Int, scriptBytes: Int = 4) async throws {
        for start in stride(from: 0, to: count, by: 250) {
            let writes = try (start..<min(start + 250, count)).map { index -> Write in
                let name = "op-" + String(repeating: "0", count: 5 - String(index).count) + String(index)
                var json = operation(
                    name, script: String(repeating: "x", count: scriptBytes), labels: ["odd": index % 2 == 1 ? "yes" : "no"])
                json["metadata"]?["uid"] = .string("uid-\(index)")
                return .create(try EncodedObject(json, definition: Operation.definition))
            }
            try await api.store.transact(writes)
        }
    }

    @Test func namespacesAndSelectors() async throws {
        try await withAPI { api in
            for (namespace, name, node) in [("a", "x", "n1"), ("a", "y", "n2"), ("b", "x", "n1")] {
                try await api.send(.post, APIFixture.diagnoses(namespace), diagnosis(name, node: node))
            }
            try await api.patch(APIFixture.diagnoses("a") + "/y", ["metadata": ["labels": ["team": "db"]]]).expect(200)
            try await api.patch(APIFixture.diagnoses("b") + "/x/status", ["status": ["phase": "Failed"]]).expect(200)
            #expect(try await api.send(.get, APIFixture.diagnoses("a")).names == ["x", "y"])
            #expect(try await api.send(.get, APIFixture.diagnoses("none")).names == [])
            #expect(try await api.send(.get, Self.everywhere).names == ["x", "y", "x"])
            #expect(try await api.send(.get, Self.everywhere + "?labelSelector=team%20in%20(db,web)").names == ["y"])
            #expect(try await api.send(.get, Self.everywhere + "?labelSelector=!team").names == ["x", "x"])
            #expect(try await api.send(.get, Self.everywhere + "?fieldSelector=spec.nodeName%3Dn2").names == ["y"])
            #expect(try await api.send(.get, Self.everywhere + "?fieldSelector=status.phase%3DFailed").names == ["x"])
            #expect(try await api.send(.get, Self.everywhere + "?fieldSelector=metadata.name%3Dx,metadata.namespace!%3Da").names == ["x"])
            #expect(try await api.send(.get, Self.everywhere + "?fieldSelector=spec.secret%3D1").status == 400)
            #expect(try await api.send(.get, Self.everywhere + "?labelSelector=%3D%3D").status == 400)
            let list = try await api.send(.get, Self.everywhere)
            #expect(list.json["kind"] == "DiagnosisList")
            #expect(list.json["apiVersion"] == "diagnosis.kubediag.org/v1")
            #expect(try await list.resourceVersion == String(api.store.currentRevision()))
        }
    }

    /// Items are what a get answers, byte for byte.
    @Test func itemsAreTheStoredObjects() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("a", script: "é\"\\\n"))
            try await api.send(.post, APIFixture.operations, operation("b"))
            let list = try await api.send(.get, APIFixture.operations)
            let items = try #require(list.json["items"]?.arrayValue)
            for item in items {
                let name = try #require(item[path: "metadata", "name"]?.stringValue)
                let single = try await api.send(.get, APIFixture.operations + "/" + name)
                #expect(single.json == item)
                #expect(list.body.firstRange(of: single.body) != nil)
            }
        }
    }

    @Test func pages() async throws {
        try await withAPI { api in
            try await Self.fill(api, count: 23)
            var names: [String] = []
            var token: String? = nil
            var revisions: Set<String> = []
            var pages = 0
            repeat {
                let page = try await api.send(.get, APIFixture.operations + "?limit=5" + (token.map { "&continue=\($0)" } ?? ""))
                try page.expect(200)
                pages += 1
                names += page.names
                revisions.insert(page.resourceVersion)
                #expect(page.names.count <= 5)
                token = page.json[path: "metadata", "continue"]?.stringValue
                let remaining = page.json[path: "metadata", "remainingItemCount"]?.integerValue
                #expect(remaining == (token == nil ? nil : Int64(23 - names.count)))
                if pages == 2 {
                    try await api.send(.post, APIFixture.operations, operation("zz")).expect(201)
                    try await api.send(.delete, APIFixture.operations + "/op-00015").expect(200)
                }
            } while token != nil
            #expect(names == (0..<23).map { "op-000" + ($0 < 10 ? "0\($0)" : "\($0)") })
            #expect(revisions.count == 1)
        }
    }

    @Test func tokensAreChecked() async throws {
        try await withAPI { api in
            try await Self.fill(api, count: 3)
            let first = try await api.send(.get, APIFixture.operations + "?limit=1")
            let token = try #require(first.json[path: "metadata", "continue"]?.stringValue)
            #expect(try await api.send(.get, APIFixture.operations + "?limit=1&continue=\(token)").names == ["op-00001"])
            #expect(try await api.send(.get, APIFixture.operations + "?limit=1&labelSelector=a&continue=\(token)").status == 400)
            #expect(try await api.send(.get, Self.everywhere + "?limit=1&continue=\(token)").status == 400)
            #expect(try await api.send(.get, APIFixture.operations + "?continue=rubbish").status == 400)
            #expect(try await api.send(.get, APIFixture.operations + "?continue=\(token)&resourceVersion=1").status == 400)
            api.clock.advance(seconds: ContinueToken.secondsMax + 1)
            let expired = try await api.send(.get, APIFixture.operations + "?limit=1&continue=\(token)")
            #expect(expired.status == 410)
            #expect(expired.reason == "Expired")
        }
    }

    /// A list longer than a page is sent in pieces and is the same document.
    @Test(arguments: [
        1, KindVerbs.pageObjectsMax - 1, KindVerbs.pageObjectsMax, KindVerbs.pageObjectsMax + 1, 3 * KindVerbs.pageObjectsMax + 17,
    ])
    func longLists(count: Int) async throws {
        try await withAPI { api in
            try await Self.fill(api, count: count, scriptBytes: 500)
            let whole = try await api.send(.get, APIFixture.operations)
            #expect(whole.names.count == count)
            #expect(Set(whole.names).count == count)
            #expect(try await whole.resourceVersion == String(api.store.currentRevision()))
            #expect(whole.json[path: "metadata", "continue"] == nil)
            let odd = try await api.send(.get, APIFixture.operations + "?labelSelector=odd%3Dyes")
            #expect(odd.names.count == count / 2)
            let limit = count - 1
            let cut = try await api.send(.get, APIFixture.operations + "?limit=\(limit)")
            #expect(cut.names.count == (limit == 0 ? count : limit))
            #expect((cut.json[path: "metadata", "continue"] != nil) == (limit > 0))
        }
    }

    /// A page as kubectl asks for it is several of the store's, and yet comes with its length; one too long for that is cut into chunks.
    @Test(arguments: [(4, true), (12_000, false)]) func listsOfModerateLengthComeAsAWhole(scriptBytes: Int, isWhole: Bool) async throws {
        try await withAPI { api in
            let count = 2 * KindVerbs.pageObjectsMax + 17
            try await Self.fill(api, count: count, scriptBytes: scriptBytes)
            for (query, expected) in [("", count), ("?limit=\(count - 1)", count - 1), ("?labelSelector=odd%3Dno", count - count / 2)] {
                let list = try await api.send(.get, APIFixture.operations + query)
                #expect(list.names == list.names.sorted() && Set(list.names).count == expected, "\(query)")
                #expect((list.json[path: "metadata", "continue"] != nil) == (expected == count - 1), "\(query)")
                let length = list.headers["Content-Length"].flatMap { Int($0) }
                #expect(length == (isWhole ? list.body.count : nil), "\(query)")
                #expect((list.headers["Transfer-Encoding"] == nil) == isWhole, "\(query)")
                let head = try await api.send(.head, APIFixture.operations + query)
                #expect(head.status == 200 && head.headers["Content-Length"] == list.headers["Content-Length"], "\(query)")
            }
        }
    }

    @Test func freshness() async throws {
        try await withAPI { api in
            try await Self.fill(api, count: 2)
            let now = try await api.store.currentRevision()
            #expect(try await api.send(.get, APIFixture.operations + "?resourceVersion=0").status == 200)
            #expect(try await api.send(.get, APIFixture.operations + "?resourceVersion=\(now)").status == 200)
            let future = try await api.send(.get, APIFixture.operations + "?resourceVersion=\(now + 1000)")
            #expect(future.status == 504)
            #expect(future.message.contains("Too large resource version"))
            #expect(try await api.send(.get, APIFixture.operations + "?resourceVersion=\(now)&resourceVersionMatch=Exact").status == 200)
            let exactly = APIFixture.operations + "?resourceVersionMatch=Exact&resourceVersion="
            #expect(try await api.send(.get, exactly + "\(now - 1)").names == ["op-00000"])
            #expect(try await api.send(.get, exactly + "\(now - 3)").status == 410)
            #expect(try await api.send(.get, exactly + "\(now + 1)").status == 504)
            // With a limit and without a match it is that very revision, as in Kubernetes.
            #expect(try await api.send(.get, APIFixture.operations + "?limit=5&resourceVersion=\(now - 1)").names == ["op-00000"])
            #expect(try await api.send(.get, APIFixture.operations + "?resourceVersion=\(now - 1)").names == ["op-00000", "op-00001"])
            #expect(try await api.send(.get, APIFixture.operations + "?sendInitialEvents=true").status == 400)
        }
    }
}

extension APIFixture.Answer {
    /// Fails the test at the line that expected another status.
    @discardableResult
    func expect(_ status: Int, _ location: SourceLocation = #_sourceLocation) throws -> Self {
        try #require(self.status == status, "\(message)", sourceLocation: location)
        return self
    }
}
