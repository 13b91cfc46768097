import JSONCoding
import Model
import Testing

@Suite struct TableTests {
    private static let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

    @Test func rowsAndColumns() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.diagnoses("ns"), diagnosis("d")).expect(201)
            try await api.patch(APIFixture.diagnoses("ns") + "/d/status", ["status": ["phase": "Failed", "reason": "ScriptFailed"]]).expect(
                200)
            api.clock.advance(seconds: 300)
            let table = try await api.send(.get, APIFixture.diagnoses("ns"), headers: ["Accept": Self.accept])
            #expect(table.json["kind"] == "Table")
            #expect(table.json["apiVersion"] == "meta.k8s.io/v1")
            #expect(!table.resourceVersion.isEmpty)
            let columns = try #require(table.json["columnDefinitions"]?.arrayValue?.compactMap { $0["name"]?.stringValue })
            let row = try #require(table.json["rows"]?.arrayValue?.first)
            let cells = try #require(row["cells"]?.arrayValue)
            #expect(columns.count == cells.count)
            let byName = Dictionary(uniqueKeysWithValues: zip(columns, cells))
            #expect(byName["Name"] == "d")
            #expect(byName["Node"] == "web-07")
            #expect(byName["Phase"] == "Failed")
            #expect(byName["Age"] == "5m")
            #expect(byName["Summary"] == .null)
            #expect(row[path: "object", "kind"] == "PartialObjectMetadata")
            #expect(row[path: "object", "metadata", "name"] == "d")
            #expect(row[path: "object", "spec"] == nil)
        }
    }

    @Test func singleObjectsAndInclusion() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            func table(_ query: String) async throws -> APIFixture.Answer {
                try await api.send(.get, APIFixture.operations + "/disk" + query, headers: ["Accept": Self.accept])
            }
            #expect(try await table("").json["rows"]?.arrayValue?.count == 1)
            #expect(try await table("?includeObject=Object").json["rows"]?.arrayValue?.first?[path: "object", "kind"] == "Operation")
            #expect(try await table("?includeObject=None").json["rows"]?.arrayValue?.first?["object"] == nil)
            #expect(try await table("?includeObject=Some").status == 400)
            #expect(try await api.send(.get, APIFixture.operations, headers: ["Accept": "text/html"]).status == 406)
        }
    }

    @Test func longTables() async throws {
        try await withAPI { api in
            try await ListTests.fill(api, count: 450)
            let table = try await api.send(.get, APIFixture.operations, headers: ["Accept": Self.accept])
            #expect(table.json["rows"]?.arrayValue?.count == 450)
            let page = try await api.send(.get, APIFixture.operations + "?limit=3", headers: ["Accept": Self.accept])
            #expect(page.json["rows"]?.arrayValue?.count == 3)
            #expect(page.json[path: "metadata", "continue"]?.stringValue != nil)
        }
    }

    @Test func watchesInTables() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            let watch = try await api.watch(APIFixture.operations + "?watch=1", headers: ["Accept": Self.accept])
            let event = try #require(try await watch.next())
            #expect(event["type"] == "ADDED")
            #expect(event[path: "object", "kind"] == "Table")
            #expect(event["object"]?["rows"]?.arrayValue?.first?["cells"]?.arrayValue?.first == "disk")
            watch.cancel()
        }
    }
}
