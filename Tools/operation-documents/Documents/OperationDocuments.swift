public import AgentOperations
import Foundation
import JSONCoding

/// The files that are written from the declarations of the built-in operations.
public enum OperationDocuments {
    public static let manifestsFile = "deploy/operations/built-in.yaml"
    public static let referenceFile = "docs/operations/reference.md"

    /// Text by path below the repository's folder.
    public static func all(_ declarations: [BuiltInDeclaration]) -> [String: String] {
        [manifestsFile: manifests(declarations), referenceFile: OperationReference.text(declarations)]
    }

    /// The paths of files that are not as the declarations have them; with `writes` they are afterwards.
    public static func outdated(_ declarations: [BuiltInDeclaration], in folder: String, writes: Bool) throws -> [String] {
        var outdated: [String] = []
        for (path, text) in all(declarations).sorted(by: { $0.key < $1.key }) {
            let file = URL(fileURLWithPath: "\(folder)/\(path)")
            if FileManager.default.contents(atPath: file.path) == Data(text.utf8) { continue }
            outdated.append(path)
            if writes { try Data(text.utf8).write(to: file) }
        }
        return outdated
    }

    private static func manifests(_ declarations: [BuiltInDeclaration]) -> String {
        let head = """
            # The Operations of the agent's built-ins, written by scripts/generate-operations. `kubediag up` registers them by itself;
            # elsewhere: kubectl apply --server-side -f built-in.yaml

            """
        return head + declarations.map(manifest).joined(separator: "---\n")
    }

    private static func manifest(_ declaration: BuiltInDeclaration) -> String {
        let operation = declaration.operation
        func lines(_ values: [String: String]?) -> String {
            (values ?? [:]).sorted { $0.key < $1.key }.map { "    \($0.key): \(quoted($0.value))\n" }.joined()
        }
        return """
            apiVersion: diagnosis.kubediag.org/v1
            kind: Operation
            metadata:
              name: \(operation.metadata.name)
              labels:
            \(lines(operation.metadata.labels))  annotations:
            \(lines(operation.metadata.annotations))spec:
              effect: \(declaration.effect.rawValue)
              processor:
                httpServer:
                  path: \(declaration.path)
                timeoutSeconds: \(declaration.timeoutSeconds)

            """
    }

    /// A JSON string is a YAML string.
    private static func quoted(_ text: String) -> String { String(decoding: JSON.string(text).encoded(), as: UTF8.self) }
}
