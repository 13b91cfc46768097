import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Everything that fuzzing found worth keeping goes through its target again.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FuzzTargets/corpus")

    private static func files(in folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { !$0.lastPathComponent.hasPrefix(".") }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyInputIsWell(name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let files = try Self.files(in: Self.folder.appending(path: name))
        #expect(!files.isEmpty, "no input for \(name)")
        for file in files {
            let finding = await target.finding(for: [UInt8](try Data(contentsOf: file)))
            #expect(finding == nil, "\(name)/\(file.lastPathComponent)")
        }
    }

    @Test func everyFolderHasATarget() throws {
        let folders = try Self.files(in: Self.folder).map(\.lastPathComponent)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }

    @Test func theCorpusStaysSmall() throws {
        let files = try Self.files(in: Self.folder).flatMap { try Self.files(in: $0) }
        let bytes = try files.reduce(0) { try $0 + Data(contentsOf: $1).count }
        #expect(files.count < 400)
        #expect(bytes < 1 << 20)
    }
}
