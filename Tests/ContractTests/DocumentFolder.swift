import Foundation
import JSONCoding
import Yams

/// The documents below `openapi/` as JSON, with references that reach across files.
struct DocumentFolder: Sendable {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// A value together with the file it stands in, by which its references are read.
    struct Located: Sendable {
        var file: String
        var value: JSON

        func member(_ key: String) -> Located? { value[key].map { Located(file: file, value: $0) } }
    }

    static let services = ["agent-executor.yaml", "graph-builder.yaml", "scheduler.yaml", "trigger-router.yaml"]
    static let files = services + ["common.yaml"]

    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("openapi").path

    private static let loaded = Result { try DocumentFolder() }
    static func load() throws -> DocumentFolder { try loaded.get() }

    private let documents: [String: JSON]

    private init() throws {
        var documents: [String: JSON] = [:]
        for file in Self.files {
            let text = try String(contentsOfFile: "\(Self.path)/\(file)", encoding: .utf8)
            guard let root = try Yams.compose(yaml: text) else { throw Fault(description: "\(file) is empty") }
            documents[file] = try Self.json(root)
        }
        self.documents = documents
    }

    func document(_ file: String) throws -> Located {
        guard let value = documents[file] else { throw Fault(description: "there is no \(file)") }
        return Located(file: file, value: value)
    }

    /// What `node` is, behind its references if it is one.
    func resolve(_ node: Located) throws -> Located {
        var node = node
        for _ in 0..<16 {
            guard let target = node.value["$ref"]?.stringValue else { return node }
            node = try follow(target, from: node.file)
        }
        throw Fault(description: "the references of \(node.file) go round in a circle")
    }

    /// What a reference such as `common.yaml#/components/schemas/Status` points at (RFC 6901).
    func follow(_ target: String, from file: String) throws -> Located {
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[1].hasPrefix("/") else { throw Fault(description: "\(file): \(target) is no reference") }
        var node = try document(parts[0].isEmpty ? file : parts[0])
        for token in parts[1].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let key = token.replacingOccurrences(of: "~1", with: "/").replacingOccurrences(of: "~0", with: "~")
            guard let next = node.member(key) else { throw Fault(description: "\(file): \(target) leads nowhere at \"\(key)\"") }
            node = next
        }
        return node
    }

    /// Scalars by YAML's core rules; times stay text.
    private static func json(_ node: Node) throws -> JSON {
        switch node {
        case .mapping(let mapping):
            var members: [String: JSON] = [:]
            for (key, value) in mapping {
                guard let name = key.scalar?.string else { throw Fault(description: "a key is no text") }
                members[name] = try json(value)
            }
            return .object(members)
        case .sequence(let items): return .array(try items.map(json))
        case .scalar(let scalar):
            guard scalar.style == .plain else { return .string(scalar.string) }
            if let number = node.int { return .integer(Int64(number)) }
            if let number = node.float { return .number(number) }
            if scalar.string == "true" || scalar.string == "false" { return .bool(scalar.string == "true") }
            return scalar.string == "null" || scalar.string.isEmpty ? .null : .string(scalar.string)
        case .alias: throw Fault(description: "aliases are not used in these documents")
        }
    }
}

// MARK: - Operations

/// One operation of one document.
struct DocumentedOperation: Sendable {
    typealias Located = DocumentFolder.Located

    let method: String
    let template: String
    let operation: Located
    /// Those of the path and its own, resolved.
    let parameters: [JSON]

    var id: String { operation.value["operationId"]?.stringValue ?? "\(method) \(template)" }
    var route: String { "\(method) \(template)" }
    var access: Set<String>? { operation.value["x-kubediag-access"]?.arrayValue.map { Set($0.compactMap(\.stringValue)) } }
    var statuses: [String] { operation.value["responses"]?.objectValue?.keys.sorted() ?? [] }
}

extension DocumentFolder {
    static let methods = ["get", "put", "post", "patch", "delete"]

    func operations(_ file: String) throws -> [DocumentedOperation] {
        let paths = try document(file).member("paths")
        return try (paths?.value.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { template, item -> [DocumentedOperation] in
            let item = try resolve(Located(file: file, value: item))
            return try Self.methods.compactMap { method -> DocumentedOperation? in
                guard let operation = item.member(method) else { return nil }
                let parameters = try [item, operation].flatMap { holder -> [JSON] in
                    try (holder.value["parameters"]?.arrayValue ?? []).map {
                        try resolve(Located(file: holder.file, value: $0)).value
                    }
                }
                return DocumentedOperation(method: method.uppercased(), template: template, operation: operation, parameters: parameters)
            }
        }
    }

    func response(_ status: String, of operation: DocumentedOperation) throws -> Located? {
        guard let response = operation.operation.member("responses")?.member(status) else { return nil }
        return try resolve(response)
    }

    func requestBody(of operation: DocumentedOperation) throws -> Located? {
        guard let body = operation.operation.member("requestBody") else { return nil }
        return try resolve(body)
    }

    /// The example values of one media type of a body or a response.
    func examples(_ content: Located) throws -> [JSON] {
        var values = content.value["example"].map { [$0] } ?? []
        for example in content.value["examples"]?.objectValue?.values.map({ Located(file: content.file, value: $0) }) ?? [] {
            if let value = try resolve(example).value["value"] { values.append(value) }
        }
        return values
    }
}
