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

    /// What a playbook's file says at its head, and its row of the README.
    struct Account: Sendable, Hashable {
        var title: String
        /// Each as `a → (b) → c`, and what it means.
        var paths: [String]
        var meanings: [String]
    }

    /// `# title`, then `#   path` and `#       meaning` for each.
    static func account(_ file: String) throws -> Account {
        let head = try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8).split(separator: "\n").prefix { $0.hasPrefix("#") }
        let lines = head.map { String($0.dropFirst(2)) }
        let meanings = lines.filter { $0.hasPrefix("      ") }.map { String($0.dropFirst(6)) }
        let paths = lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }.map { String($0.dropFirst(2)) }
        guard let title = lines.first, paths.count == meanings.count else { throw Unreadable(file: file) }
        return Account(title: title, paths: paths, meanings: meanings)
    }

    /// The cells of the README's table, by playbook: the first without its link, the alerts, the paths.
    static func readme() throws -> [String: [String]] {
        let text = try String(contentsOfFile: "\(root)/deploy/playbooks/README.md", encoding: .utf8)
        var rows: [String: [String]] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("| [") {
            let cells = line.dropFirst(2).dropLast(2).components(separatedBy: " | ")
            guard cells.count == 3, let link = cells[0].firstRange(of: ".yaml): ") else { continue }
            let name = cells[0].dropFirst().prefix { $0 != "]" }
            rows[String(name)] = [String(cells[0][link.upperBound...]), cells[1], cells[2]]
        }
        return rows
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
    private func apply(_ document: Playbooks.Document) async throws {
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
    private func applyPlaybooks() async throws {
        for file in [Playbooks.builtIns] + (try Playbooks.files) {
            for document in try Playbooks.documents(file) { try await apply(document) }
        }
    }

    /// Gives `use` a cluster that has all playbooks, and ends it whatever comes of that.
    ///
    /// - Parameter laterAgents: the nodes of agents that `use` starts.
    static func withPlaybooks(
        agents: [String] = [], laterAgents: [String] = [], scheduler: [String] = [], _ use: (Cluster) async throws -> Void
    ) async throws {
        let cluster = try await Cluster(agents: agents, laterAgents: laterAgents, scheduler: scheduler)
        do {
            try await cluster.applyPlaybooks()
            try await use(cluster)
        } catch {
            // What went wrong in it matters more than how it ends.
            try? await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    func list(_ owner: String, _ plural: String) async throws -> [JSON] {
        let response = try await send(owner, .get, "/apis/\(API.groupVersion)/\(plural)")
        guard response.status == 200 else { throw Failure(description: "\(plural): \(response.status)") }
        return try JSON(parsing: response.body)["items"]?.arrayValue ?? []
    }
}

extension Cluster {
    /// The first diagnosis of an operation set that is the one meant, once it has ended.
    func diagnosis(of set: String, seconds: Double = 60, _ isMeant: (JSON) -> Bool = { _ in true }) async throws -> JSON {
        var name: String?
        let exists = try await eventually {
            name = try await diagnoses().first { $0["spec"]?["operationSet"]?.stringValue == set && isMeant($0) }?.name
            return name != nil
        }
        guard exists, let name else { throw Failure(description: "no diagnosis of \(set)") }
        return try await wait(name, seconds: seconds)
    }
}

extension JSON {
    /// The operations of the path that succeeded, of a diagnosis.
    var succeededPath: [String] {
        self["status"]?["succeededPath"]?.arrayValue?.compactMap { $0["operation"]?.stringValue } ?? []
    }

    /// What a check of a diagnosis found.
    ///
    /// - Parameter operation: as resources are called, such as `disk-space`.
    func finding(_ operation: String) throws -> JSON {
        let words = operation.split(separator: "-").map(String.init)
        // A playbook's own operation is called as the check is, and what for: kernel-log-node.
        let checks = words.indices.reversed().map { words[0] + words[1..<max(1, $0 + 1)].map(\.capitalized).joined() }
        guard let text = checks.lazy.compactMap({ self.result("\($0).finding")?.stringValue }).first else {
            throw Cluster.Failure(description: "no finding of \(operation): \(self["status"] ?? .null)")
        }
        return try JSON(parsing: Array(text.utf8))
    }

    /// The value of this name, of a finding.
    func evidence(_ name: String) -> JSON? {
        self["evidence"]?.arrayValue?.first { $0["name"]?.stringValue == name }?["value"]
    }
}
