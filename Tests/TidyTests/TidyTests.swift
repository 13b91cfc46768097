import Foundation
import Testing

/// What CONTRIBUTING.md asks of the code and a machine can check.
@Suite struct TidyTests {
    @Test func filesAreShort() throws {
        for file in try SourceTree.swiftFiles("Shared", "Services", "Tools") {
            #expect(file.lines.count <= 300, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func errorsAreNotThrownAway() throws {
        let thrownAway = try Regex(#"\btry[!?]|\bas!"#)
        for file in try SourceTree.swiftFiles("Shared", "Services", "Tools") {
            for (number, line) in code(of: file) {
                #expect(line.firstMatch(of: thrownAway) == nil, "\(file.path):\(number): \(line)")
            }
        }
    }

    @Test func escapesFromTheTypeSystemAreInCRoomsAndExplained() throws {
        let cRooms = [
            "Shared/JSONCoding", "Shared/Digests", "Shared/RegularExpressions", "Shared/ProcessRunner", "Shared/HTTPServer",
            "Shared/HTTPClient",
            "Shared/ResourceStoreSQLite", "Shared/KafkaClient",
        ]
        for file in try SourceTree.swiftFiles("Shared", "Services", "Tools") {
            for (number, line) in code(of: file) where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
                #expect(cRooms.contains { file.path.hasPrefix($0 + "/") }, "\(file.path):\(number) stands outside the C rooms")
                let around = file.lines[max(0, number - 8)..<min(file.lines.count, number + 1)]
                #expect(around.contains { $0.contains("//") }, "\(file.path):\(number) does not say why it holds")
            }
        }
    }

    @Test func cLibrariesAreImportedInOneRoomEach() throws {
        for library in ["CSimdjson", "CNettle", "CMicroHTTPD", "CCurl", "CRE2", "CSpawn", "CZlib", "CRdKafka"] {
            var rooms: Set<String> = []
            for file in try SourceTree.swiftFiles("Shared", "Services", "Tools") {
                for (number, line) in code(of: file) where line.hasSuffix("import \(library)") {
                    rooms.insert(file.path.split(separator: "/").prefix(2).joined(separator: "/"))
                    #expect(!line.contains("public import") && !line.contains("package import"), "\(file.path):\(number)")
                }
            }
            #expect(rooms.count == 1, "\(library) is imported by \(rooms.sorted())")
        }
    }

    @Test func namesSayWhatAThingIs() throws {
        let declaration = try Regex(#"\b(?:class|struct|enum|actor|protocol)\s+(\w*(?:Manager|Helper|Utils|Util|Base))\b"#)
        for file in try SourceTree.swiftFiles("Shared", "Services", "Tools") {
            for (number, line) in code(of: file) {
                #expect(line.firstMatch(of: declaration) == nil, "\(file.path):\(number): \(line)")
            }
        }
    }

    @Test func nothingIsLeftForLater() throws {
        let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for file in try SourceTree.swiftFiles("Shared", "Services", "Tools", "Tests", "Benchmarks") {
            for (number, line) in file.lines.enumerated() {
                #expect(!leftovers.contains { line.contains($0) }, "\(file.path):\(number + 1): \(line)")
            }
        }
    }

    /// Lines with their numbers from 1, comments left out.
    private func code(of file: SourceTree.File) -> [(Int, String)] {
        file.lines.enumerated().compactMap { index, line in
            let text = line.trimmingCharacters(in: .whitespaces)
            return text.hasPrefix("//") ? nil : (index + 1, text)
        }
    }
}

/// The arrows between rooms, as the package manager sees them.
@Suite struct ArrowTests {
    private struct Package: Decodable {
        struct Target: Decodable {
            struct Dependency: Decodable {
                var name: String?

                private enum Keys: String, CodingKey { case byName, product, target }

                init(from decoder: any Decoder) throws {
                    let container = try decoder.container(keyedBy: Keys.self)
                    for key in [Keys.byName, .target] where container.contains(key) {
                        var list = try container.nestedUnkeyedContainer(forKey: key)
                        name = try list.decode(String.self)
                    }
                }
            }
            var name: String
            var path: String?
            var dependencies: [Dependency]
        }
        var targets: [Target]
    }

    private func package() async throws -> Package {
        let text = try await SourceTree.run("swift", ["package", "--ignore-lock", "dump-package"])
        let start = try #require(text.output.firstIndex(of: "{"), "\(text.output)")
        return try JSONDecoder().decode(Package.self, from: Data(text.output[start...].utf8))
    }

    @Test func pointOneWay() async throws {
        let targets = try await package().targets
        let paths = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0.path ?? "") })
        for target in targets {
            let names = target.dependencies.compactMap(\.name)
            let path = target.path ?? ""
            if path.hasPrefix("Shared/") {
                #expect(names.allSatisfy { paths[$0]?.hasPrefix("Services/") != true }, "\(target.name) knows a service")
            }
            if path.hasPrefix("Services/"), path.hasSuffix("/Core") {
                let pure: Set = ["Model", "JSONCoding", "Digests", "RegularExpressions"]
                #expect(Set(names).isSubset(of: pure), "\(target.name) depends on \(Set(names).subtracting(pure))")
            }
            if path.hasPrefix("Services/") {
                let own = path.split(separator: "/").prefix(2).joined(separator: "/")
                let foreign = names.filter { (paths[$0] ?? "").hasPrefix("Services/") && !(paths[$0] ?? "").hasPrefix(own + "/") }
                #expect(foreign.isEmpty, "\(target.name) depends on another service: \(foreign)")
            }
        }
    }

    @Test func noSwiftNIO() throws {
        let resolved = try String(contentsOf: SourceTree.root.appendingPathComponent("Package.resolved"), encoding: .utf8)
        #expect(resolved.contains("swift-argument-parser"), "the resolved graph could not be read")
        #expect(!resolved.contains("swift-nio"))
    }
}

/// Files that other programs read.
@Suite struct DeploymentTests {
    @Test func composeFileIsValid() async throws {
        let result = try await SourceTree.run("docker-compose", ["--file", "docker-compose.yml", "config", "-q"])
        #expect(result.status == 0, "\(result.output)")
    }

    @Test func alertmanagerTakesItsConfiguration() async throws {
        let result = try await SourceTree.run("amtool", ["check-config", "deploy/alertmanager/alertmanager.yml"])
        #expect(result.status == 0, "\(result.output)")
    }

    @Test func prometheusTakesItsRules() async throws {
        let result = try await SourceTree.run("promtool", ["check", "rules", "deploy/prometheus/rules.yml"])
        #expect(result.status == 0, "\(result.output)")
    }

    @Test func linksBetweenDocumentsLead() throws {
        let link = try Regex(#"\]\(([^)#:]+)(?:#[^)]*)?\)"#)
        let documents =
            try SourceTree.files(["docs"]) { $0.hasSuffix(".md") }
            + ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map {
                SourceTree.File(
                    path: $0,
                    lines: try String(contentsOf: SourceTree.root.appendingPathComponent($0), encoding: .utf8).components(separatedBy: "\n")
                )
            }
        for document in documents {
            let folder = SourceTree.root.appendingPathComponent(document.path).deletingLastPathComponent()
            for line in document.lines {
                for match in line.matches(of: link) {
                    let target = String(match.output[1].substring ?? "")
                    #expect(
                        FileManager.default.fileExists(atPath: folder.appendingPathComponent(target).path), "\(document.path) → \(target)")
                }
            }
        }
    }
}
