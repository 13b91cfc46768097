import JSONCoding
import OpenAPIDocuments
import TestSupport
import Testing
import Yams

/// Each process serves its document whole: the bundle of the files in `openapi/`, which refers to nothing but itself.
@Suite struct BundleTests {
    private func bundle(_ service: ContractedService) throws -> String {
        try String(contentsOfFile: "\(DocumentFolder.path)/bundles/\(service.file)", encoding: .utf8)
    }

    @Test(arguments: ContractedService.all)
    func theProcessServesItsBundle(contracted: ContractedService) async throws {
        let service = try await RunningService(contracted.program, settings: contracted.settings)
        let (status, headers, body) = try await service.sendForBytes(.get, "/openapi.yaml")
        #expect(status == 200)
        #expect(headers["Content-Type"] == "application/yaml")
        #expect(String(decoding: body, as: UTF8.self) == (try bundle(contracted)))
        await service.stop()
    }

    @Test(arguments: ContractedService.all)
    func aBundleIsCompleteInItself(contracted: ContractedService) throws {
        let text = try bundle(contracted)
        let root = try #require(try Yams.load(yaml: text) as? [String: Any])
        let components = try #require(root["components"] as? [String: [String: Any]])
        var targets: Set<String> = []
        Self.collect(root, into: &targets)
        #expect(targets.count > 10)
        for target in targets {
            let tokens = target.split(separator: "/").map(String.init)
            #expect(tokens.count == 4 && tokens[0] == "#" && components[tokens[2]]?[tokens[3]] != nil, "\(target)")
        }
        for (section, members) in components where section != "securitySchemes" {
            for name in members.keys { #expect(targets.contains("#/components/\(section)/\(name)"), "nothing uses \(section)/\(name)") }
        }
        #expect(!text.contains("common.yaml"))
    }

    /// What is written and read again is the same: nothing is lost on the way into the program.
    @Test(arguments: ContractedService.all)
    func aBundleReadsAsItWasWritten(contracted: ContractedService) throws {
        let value = try YAMLValue(parsing: try bundle(contracted))
        let again = try YAMLValue(parsing: value.lines().joined(separator: "\n") + "\n")
        #expect(again == value)
    }

    private static func collect(_ value: Any, into targets: inout Set<String>) {
        if let members = value as? [String: Any] {
            if let target = members["$ref"] as? String { targets.insert(target) }
            for member in members.values { collect(member, into: &targets) }
        }
        if let items = value as? [Any] {
            for item in items { collect(item, into: &targets) }
        }
    }
}
