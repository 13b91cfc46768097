import AgentExecutorService
import OpenAPIDocuments
import OperationDocuments
import Testing

@Suite struct GeneratedTests {
    @Test func theGeneratedPartsAreUpToDate() throws {
        let outdated = try DocumentSet.outdated(in: DocumentFolder.path, writes: false)
        #expect(outdated == [], "run scripts/generate-openapi")
    }

    @Test func whatIsWrittenOfBuiltInOperationsIsUpToDate() throws {
        let outdated = try OperationDocuments.outdated(BuiltInOperations.declarations, in: DocumentFolder.path + "/..", writes: false)
        #expect(outdated == [], "run scripts/generate-operations")
    }

    @Test func aSectionIsFilledAtTheIndentationOfItsMark() throws {
        let section = GeneratedSection([.init(key: "new", value: ["text": "a: b", "items": ["x", "no"], "list": [["k": true]]])])
        let document = "a:\n  \(GeneratedSection.opening)\n  old: 1\n  \(GeneratedSection.closing)\nb: 2\n"
        let filled = """
            a:
              \(GeneratedSection.opening)
              new:
                text: "a: b"
                items: [x, "no"]
                list:
                  - k: true
              \(GeneratedSection.closing)
            b: 2

            """
        #expect(try GeneratedSection.fill([section], into: document) == filled)
        #expect(try GeneratedSection.fill([section], into: filled) == filled)
    }

    @Test(arguments: ["a: 1\n", "\(GeneratedSection.closing)\n\(GeneratedSection.opening)\n"])
    func aDocumentWithoutAPlaceIsRefused(document: String) {
        #expect(throws: GeneratedSection.Fault.self) { try GeneratedSection.fill([GeneratedSection([])], into: document) }
    }
}
