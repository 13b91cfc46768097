import Foundation
import JSONCoding
import Model
import TestSupport

/// The manifests below `deploy/`, as they are handed to users.
enum Playbooks {
    /// One object of a manifest: its text, and what it is called.
    struct Document: Sendable {
        let text: String
        let kind: String
        let name: String
    }

    struct Unreadable: Error { let file: String }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: root + "/deploy/playbooks").filter { $0.hasSuffix(".yaml") }.sorted()
                .map { "deploy/playbooks/\($0)" }
        }
    }

    static let builtIns = "deploy/operations/built-in.yaml"

    static func documents(_ file: String) throws -> [Document] {
        let text = try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
        return try text.split(separator: "---\n").map { part in
            func value(_ key: String) -> String? {
                part.split(separator: "\n").first { $0.hasPrefix(key) }.map { String($0.dropFirst(key.count)) }
            }
            guard let kind = value("kind: "), let name = value("  name: ") else { throw Unreadable(file: file) }
            return Document(text: String(part), kind: kind, name: name)
        }
    }
}

extension Cluster {
    /// Server-side apply, as `kubectl apply --server-side` does it.
    func apply(_ document: Playbooks.Document) async throws {
        let owners = [
            "Operation": ("graph-builder", "operations"), "OperationSet": ("graph-builder", "operationsets"),
            "Trigger": ("router", "triggers"),
        ]
        guard let (owner, plural) = owners[document.kind] else { throw Failure(description: "no owner of \(document.kind)") }
        let response = try await send(
            owner, .patch, "/apis/\(API.groupVersion)/\(plural)/\(document.name)?fieldManager=test", Array(document.text.utf8),
            type: "application/apply-patch+yaml")
        guard (200...201).contains(response.status) else {
            throw Failure(description: "\(document.kind) \(document.name): \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    /// Everything that a user of the playbooks applies.
    func applyPlaybooks() async throws {
        for file in [Playbooks.builtIns] + (try Playbooks.files) {
            for document in try Playbooks.documents(file) { try await apply(document) }
        }
    }

    func list(_ owner: String, _ plural: String) async throws -> [JSON] {
        let response = try await send(owner, .get, "/apis/\(API.groupVersion)/\(plural)")
        guard response.status == 200 else { throw Failure(description: "\(plural): \(response.status)") }
        return try JSON(parsing: response.body)["items"]?.arrayValue ?? []
    }
}
