import JSONCoding
import Testing

/// Query parameters and options of the wrong type are refused by name, all of them at once, and nothing is done.
@Suite struct BadQueryTests {
    @Test(arguments: [
        ("watch=yes", ["watch"]), ("watch=true&watch=null", ["watch"]), ("sendInitialEvents=null", ["sendInitialEvents"]),
        ("allowWatchBookmarks=2&gracePeriodSeconds=soon", ["allowWatchBookmarks", "gracePeriodSeconds"]), ("limit=-1", ["limit"]),
        ("limit=99999999999999999999", ["limit"]),
        ("resourceVersionMatch=Perhaps&includeObject=Half", ["resourceVersionMatch", "includeObject"]),
    ])
    func lists(query: String, parameters: [String]) async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, APIFixture.operations + "?" + query)
            #expect(answer.status == 400 && answer.reason == "BadRequest")
            #expect(answer.faultPaths == parameters)
            for parameter in parameters { #expect(answer.message.contains("\(parameter): ")) }
        }
    }

    @Test(arguments: ["dryRun=Maybe", "fieldValidation=strict&force=2", "dryRun=All&dryRun=No"])
    func writes(query: String) async throws {
        try await withAPI { api in
            let answer = try await api.send(.post, APIFixture.operations + "?" + query, operation("disk"))
            #expect(answer.status == 400 && !answer.faultPaths.isEmpty)
            #expect(try await api.send(.get, APIFixture.operations + "/disk").status == 404)
        }
    }

    @Test(arguments: ["", "limit=&dryRun=&includeObject=", "pretty=maybe&unknown=1", "watch=0"])
    func emptyAndUnknownOnesAreNone(query: String) async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, APIFixture.operations + "?" + query)
            #expect(answer.status == 200 && answer.json["kind"] == "OperationList")
        }
    }

    /// An option that is not understood could be the one that keeps the object.
    @Test(
        arguments: [
            (["dryRun": 219], "dryRun"), (["dryRun": "All"], "dryRun"), (["dryRun": [1]], "dryRun[0]"),
            (["preconditions": ["uid": 7]], "preconditions.uid"),
            (["preconditions": ["resourceVersion": [:]]], "preconditions.resourceVersion"),
            (["preconditions": []], "preconditions"),
        ] as [(JSON, String)])
    func deletions(options: JSON, path: String) async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk"))
            for target in [APIFixture.operations + "/disk", APIFixture.operations] {
                let answer = try await api.send(.delete, target, options)
                #expect(answer.status == 400 && answer.faultPaths == [path], "\(options) \(answer.message)")
            }
            #expect(try await api.send(.get, APIFixture.operations + "/disk").status == 200)
        }
    }
}
