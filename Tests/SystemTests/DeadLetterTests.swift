import JSONCoding
import Model
import TestSupport
import Testing

/// The dead-letter list of the built router, over its death.
@Suite(.serialized) struct DeadLetterTests {
    @Test func whatWasAcknowledgedIsThereAfterKill9AndCanBeReplayed() async throws {
        let cluster = try await Cluster()
        try await cluster.createScript("look", "true")
        try await cluster.create("OperationSet", "crash", #"{"sequence":["look"]}"#)
        func event(_ name: String, object: String = #""involvedObject":{"kind":"Pod","namespace":"shop","name":"web-0"},"#) -> String {
            #"{"apiVersion":"v1","kind":"Event","metadata":{"name":"\#(name)","uid":"\#(name)"},\#(object)"reason":"BackOff","source":{"host":"web-01"}}"#
        }
        func post(_ body: String) async throws -> JSON {
            let answer = try await cluster.send(
                "router", .post, "/api/v1/receivers/kubernetes-events", Array(body.utf8), token: Cluster.receiver)
            #expect(answer.status == 200)
            return try JSON(parsing: answer.body)
        }
        var ids: Set<String> = []
        for number in 0..<20 {
            let answer = try await post("[\(event("good\(number)")),\(event("bad\(number)", object: ""))]")
            ids.insert(try #require(answer["unusable"]?.arrayValue?.first?["deadLetter"]?.stringValue))
            if number == 9 {
                try await cluster.kill("router")
                try await cluster.start("router")
            }
        }
        try await cluster.kill("router")
        try await cluster.start("router")
        let list = try JSON(parsing: try await cluster.send("router", .get, "/api/v1/deadletters?limit=1000").body)
            .decode(DeadLetterList.self)
        #expect(Set(list.items.map(\.id)) == ids)
        #expect(ids.count == 20)
        // It is still no Event: it stays.
        let id = try #require(ids.first)
        #expect(try await cluster.send("router", .post, "/api/v1/deadletters/\(id)/replay").status == 422)
        #expect(try await cluster.send("router", .delete, "/api/v1/deadletters/\(id)").status == 200)
        try await cluster.kill("router")
        try await cluster.start("router")
        #expect(try await cluster.send("router", .get, "/api/v1/deadletters/\(id)").status == 404)
        try await cluster.stop()
    }
}
