import AgentOperations
import JSONCoding
import Model

/// The reference page of the built-in operations, in Markdown.
enum OperationReference {
    static func text(_ declarations: [BuiltInDeclaration]) -> String {
        var text = """
            # Built-in operations: reference

            Written by `scripts/generate-operations` from what the operations say of themselves; [README.md](README.md) tells how they are used.

            | operation | what it does | effect |
            |---|---|---|

            """
        for one in declarations {
            text += "| [\(one.resourceName)](#\(one.resourceName)) | \(cell(one.summary)) | \(one.effect.rawValue) |\n"
        }
        return text + declarations.map(section).joined()
    }

    private static func section(_ one: BuiltInDeclaration) -> String {
        var text = "\n## \(one.resourceName)\n\n\(one.summary) `\(one.path)`, \(one.effect.rawValue), at most \(one.timeoutSeconds) s.\n"
        if let when = one.succeedsWhen { text += "\nSucceeds when \(when); otherwise it is ruled out.\n" }
        if !one.privileges.isEmpty { text += "\nNeeds: \(one.privileges.joined(separator: "; ")).\n" }
        if !one.tools.isEmpty {
            text += "\nRuns: \(one.tools.map { "`\($0.name)` (package \($0.package))" }.joined(separator: ", ")).\n"
        }
        if !one.parameters.isEmpty {
            text += "\n| parameter | value | default | what it is |\n|---|---|---|---|\n"
            for parameter in one.parameters {
                let value = parameter.defaultText.map { $0.isEmpty ? "empty" : "`\($0)`" } ?? (parameter.isRequired ? "needed" : "")
                text += "| `\(parameter.key)` | \(cell(parameter.rule)) | \(cell(value)) | \(cell(parameter.summary)) |\n"
            }
        }
        if !one.results.isEmpty {
            text += "\n| result | what it is |\n|---|---|\n"
            for result in one.results { text += "| `\(result.key)` | \(cell(result.schema.role ?? result.schema.description)) |\n" }
        }
        return text
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }
}
