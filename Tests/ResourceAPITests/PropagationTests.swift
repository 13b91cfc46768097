import JSONCoding
import Model
import TestSupport
import Testing

/// What a deletion means to the objects that name the deleted one, within one process.
@Suite struct PropagationTests {
    private static let hold = ["example.org/hold"]

    @Test func background() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                let other = try await api.make("other")
                try await api.make("b", owners: [owner(a)])
                try await api.make("shared", owners: [owner(a), owner(other)])
                #expect(try await api.delete("a").json["status"] == "Success", "at once")
                #expect(try await api.isGone("b"))
                let left = try await eventually { try await api.metadata("shared")["ownerReferences"] == .array([owner(other)]) }
                #expect(left, "the other owner keeps it")
                #expect(try await api.delete("other").status == 200)
                #expect(try await api.isGone("shared"))
            }
        }
    }

    @Test func whatWaitedWhileNobodyCollectedGoesToo() async throws {
        try await withAPI { api in
            let a = try await api.make("a")
            try await api.make("b", owners: [owner(a)])
            try await api.make("waits", finalizers: Self.hold)
            #expect(try await api.delete("a").status == 200)
            #expect(try await api.delete("waits", "Foreground").status == 200)
            try await api.collecting {
                let isGone = try await api.isGone("b")
                #expect(isGone)
                #expect(try await eventually { try await api.metadata("waits")["finalizers"] == ["example.org/hold"] })
            }
        }
    }

    @Test func foregroundWaitsForThoseThatBlock() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                try await api.make("blocks", owners: [owner(a, blocks: true)], finalizers: Self.hold)
                try await api.make("free", owners: [owner(a)])
                let marked = try await api.delete("a", "Foreground")
                #expect(marked.status == 200)
                #expect(marked.json[path: "metadata", "finalizers"] == ["foregroundDeletion"])
                #expect(try await api.isGone("free"))
                #expect(try await eventually { try await api.metadata("blocks")["deletionTimestamp"] != nil })
                #expect(try await api.exists("a"), "it goes last")
                try await api.free("blocks")
                #expect(try await api.isGone("blocks"))
                #expect(try await api.isGone("a"))
            }
        }
    }

    @Test func foregroundDoesNotWaitForTheOthers() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                try await api.make("held", owners: [owner(a)], finalizers: Self.hold)
                #expect(try await api.send(.delete, APIFixture.operations + "/a?propagationPolicy=Foreground").status == 200)
                #expect(try await api.isGone("a"))
                #expect(try await eventually { try await api.metadata("held")["deletionTimestamp"] != nil })
            }
        }
    }

    @Test func foregroundGoesDownTheLine() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                let b = try await api.make("b", owners: [owner(a, blocks: true)])
                try await api.make("c", owners: [owner(b, blocks: true)], finalizers: Self.hold)
                #expect(try await api.delete("a", "Foreground").status == 200)
                #expect(try await eventually { try await api.metadata("c")["deletionTimestamp"] != nil })
                #expect(try await api.metadata("b")["finalizers"] == ["foregroundDeletion"])
                #expect(try await api.exists("a"))
                try await api.free("c")
                #expect(try await api.isGone("a"))
                #expect(try await !api.exists("b"))
            }
        }
    }

    @Test func circles() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                let b = try await api.make("b", owners: [owner(a, blocks: true)])
                let closed = try await api.patch(
                    APIFixture.operations + "/a", ["metadata": ["ownerReferences": [owner(b, blocks: true)]]])
                #expect(closed.status == 200)
                #expect(try await api.delete("a", "Foreground").status == 200)
                #expect(try await api.isGone("a"))
                #expect(try await api.isGone("b"))
            }
        }
    }

    @Test func circlesThatWereDeletedWhole() async throws {
        try await withAPI { api in
            let a = try await api.make("a")
            let b = try await api.make("b", owners: [owner(a, blocks: true)])
            let closed = try await api.patch(APIFixture.operations + "/a", ["metadata": ["ownerReferences": [owner(b, blocks: true)]]])
            #expect(closed.status == 200)
            for name in ["a", "b"] { #expect(try await api.delete(name, "Foreground").status == 200) }
            try await api.collecting {
                let isGone = try await api.isGone("a")
                #expect(isGone)
                #expect(try await api.isGone("b"))
            }
        }
    }

    /// The policy in the body, and what clients said before there was one, in the body and the query.
    @Test(arguments: [#"{"propagationPolicy":"Orphan"}"#, #"{"orphanDependents":true}"#, "query"]) func orphans(options: String)
        async throws
    {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                try await api.make("b", owners: [owner(a)])
                let path = APIFixture.operations + "/a" + (options == "query" ? "?orphanDependents=true" : "")
                #expect(try await api.send(.delete, path, bytes: options == "query" ? nil : Array(options.utf8)).status == 200)
                #expect(try await api.isGone("a"))
                let b = try await api.metadata("b")
                #expect(b["name"] == "b" && b["ownerReferences"] == nil && b["deletionTimestamp"] == nil)
            }
        }
    }

    @Test func neverExisted() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                try await api.make("no-such-name", owners: [owner("nobody", uid: "0")])
                try await api.make("no-such-uid", owners: [owner("a", uid: "0")])
                try await api.make("known", owners: [owner(a)])
                #expect(try await api.isGone("no-such-name"))
                #expect(try await api.isGone("no-such-uid"))
                #expect(try await api.exists("known"))
            }
        }
    }

    @Test func kindsThatNobodyHereKnowsKeepTheirs() async throws {
        try await withAPI { api in
            try await api.make("of-a-pod", owners: [owner("web-0", uid: "0", kind: "Pod", apiVersion: "v1")])
            try await api.make("of-a-new-kind", owners: [owner("x", uid: "0", kind: "Later")])
            // A cluster-scoped object can't belong to one in a namespace.
            try await api.make("of-a-diagnosis", owners: [owner("x", uid: "0", kind: "Diagnosis")])
            try await api.make("sentinel", owners: [owner("nobody", uid: "0")])
            try await api.collecting {
                #expect(try await api.isGone("sentinel"))
                for _ in 0..<2 {
                    // All of the first batch has been looked at once another one is through.
                    try await api.make("sentinel", owners: [owner("nobody", uid: "0")])
                    #expect(try await api.isGone("sentinel"))
                }
                #expect(try await api.send(.get, APIFixture.operations).names == ["of-a-diagnosis", "of-a-new-kind", "of-a-pod"])
            }
        }
    }

    @Test func namespaces() async throws {
        try await withAPI { api in
            try await api.collecting {
                let path = APIFixture.diagnoses("a")
                let a = try await api.make("a")
                let parent = try await api.make(diagnosis("parent"), at: path)
                try await api.make(diagnosis("of-the-operation"), at: path, owners: [owner(a)])
                try await api.make(diagnosis("child"), at: path, owners: [owner(parent)])
                try await api.make(diagnosis("elsewhere"), at: APIFixture.diagnoses("b"), owners: [owner(parent)])
                #expect(try await api.isGone("elsewhere", at: APIFixture.diagnoses("b")), "an owner is looked for in its own namespace")
                #expect(try await api.exists("child", at: path))
                #expect(try await api.delete("parent", at: path).status == 200)
                #expect(try await api.isGone("child", at: path))
                #expect(try await api.exists("of-the-operation", at: path))
                #expect(try await api.delete("a").status == 200)
                #expect(try await api.isGone("of-the-operation", at: path))
            }
        }
    }

    @Test func theSecondDeletionDecides() async throws {
        try await withAPI { api in
            let a = try await api.make("a")
            try await api.make("b", owners: [owner(a, blocks: true)])
            #expect(try await api.delete("a", "Foreground").status == 200)
            #expect(try await api.delete("a", "Background").json["status"] == "Success")
            #expect(try await !api.exists("a"))
        }
    }

    @Test func collections() async throws {
        try await withAPI { api in
            try await api.collecting {
                let a = try await api.make("a")
                let path = APIFixture.diagnoses("a")
                try await api.make(diagnosis("b"), at: path, owners: [owner(a)])
                #expect(try await api.send(.delete, APIFixture.operations + "?propagationPolicy=Orphan").status == 200)
                #expect(try await api.isGone("a"))
                #expect(try await api.metadata("b", at: path)["ownerReferences"] == nil)
            }
        }
    }

    @Test func faults() async throws {
        try await withAPI { api in
            try await api.make("a")
            let path = APIFixture.operations + "/a"
            let both = try await api.send(.delete, path, ["propagationPolicy": "Foreground", "orphanDependents": false])
            #expect(both.status == 422 && both.faultPaths == ["propagationPolicy"], "\(both.message)")
            let unknown = try await api.send(.delete, path, ["propagationPolicy": "Later"])
            #expect(unknown.status == 422 && unknown.faultPaths == ["propagationPolicy"], "\(unknown.message)")
            #expect(try await api.send(.delete, path + "?propagationPolicy=Later").status == 400)
            #expect(try await api.send(.delete, path + "?orphanDependents=perhaps").status == 400)
            #expect(try await api.send(.delete, path, ["orphanDependents": "yes"]).status == 400)
            #expect(try await api.exists("a"))
            var twice = operation("b")
            twice["metadata"]?["finalizers"] = ["orphan", "foregroundDeletion"]
            #expect(try await api.send(.post, APIFixture.operations, twice).faultPaths == ["metadata.finalizers"])
            let dry = try await api.send(.delete, path + "?dryRun=All&propagationPolicy=Foreground")
            #expect(dry.json[path: "metadata", "finalizers"] == ["foregroundDeletion"])
            #expect(try await api.metadata("a")["finalizers"] == nil)
        }
    }
}
