import Foundation
import Testing

/// The parameters that the code reads, and those that the documents have, are the same.
@Suite struct ParameterTests {
    private static let root = URL(fileURLWithPath: DocumentFolder.path).deletingLastPathComponent()

    /// The text of the Swift files in which requests are read.
    private static func sources() throws -> [String] {
        var texts: [String] = []
        for folder in ["Services", "Shared/ResourceAPI", "Shared/ServiceKit/Serving", "Shared/HTTPServer"] {
            let start = root.appendingPathComponent(folder).resolvingSymlinksInPath()
            let walk = try #require(FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil))
            for case let url as URL in walk where url.pathExtension == "swift" {
                texts.append(try String(contentsOf: url, encoding: .utf8))
            }
        }
        return texts
    }

    private static func names(_ pattern: String) throws -> Set<String> {
        let regex = try Regex(pattern)
        return Set(try sources().flatMap { $0.matches(of: regex).compactMap { $0.output[1].substring.map(String.init) } })
    }

    private static func documented(in place: String) throws -> Set<String> {
        let folder = try DocumentFolder.load()
        let all = try DocumentFolder.services.flatMap { try folder.operations($0) }.flatMap(\.parameters)
        return Set(all.filter { $0["in"]?.stringValue == place }.compactMap { $0["name"]?.stringValue })
    }

    @Test func queryParametersAreThoseThatAreRead() throws {
        let read = try Self.names(#"(?:query\("|query\[|query\.(?:flag|time|all)\(|Self\.flag\(query, |[^.\w]flag\()"?"?([A-Za-z]+)"[\])]"#)
            .union(try Self.names(#"call\.query\("([A-Za-z]+)"\)"#))
        let documented = try Self.documented(in: "query")
        #expect(read.subtracting(documented).sorted() == [], "read and not documented")
        // Kubernetes' clients send them; they are taken and have no effect.
        let unread: Set = ["gracePeriodSeconds"]
        #expect(documented.subtracting(read).subtracting(unread).sorted() == [], "documented and not read")
    }

    @Test func headerFieldsAreThoseThatAreRead() throws {
        let read = try Self.names(#"headers(?:\[|\.all\()"([A-Za-z-]+)"[\])]"#)
        let documented = try Self.documented(in: "header")
        // Of every request alike, told of in the documents' introduction; or of answers of other services, as ETag is.
        let general: Set = [
            "Host", "Authorization", "Content-Type", "Content-Length", "Transfer-Encoding", "Accept", "traceparent", "X-Request-Id",
            "User-Agent", "ETag", "X-Request-Deadline", "Accept-Encoding", "Origin",
        ]
        #expect(read.subtracting(documented).subtracting(general).sorted() == [], "read and not documented")
        #expect(documented.subtracting(read).sorted() == [], "documented and not read")
    }
}
