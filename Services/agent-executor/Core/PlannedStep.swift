import Model

/// What a step would do, in words: the first line says it in short, the others in full.
public struct PlannedStep: Sendable, Equatable {
    public static let bytesMax = 64 * 1024

    public let text: String

    /// - Parameters:
    ///   - step: a script or a function.
    ///   - user: as whom it would run.
    public static func process(_ step: JobRun.StepStart, context: StepContext, variables: [String: String], user: String) -> PlannedStep {
        let seconds = step.spec.processor.effectiveTimeoutSeconds
        var lines: [String] = []
        switch step.spec.processor.action {
        case .script(let script):
            let count = script.script.split(separator: "\n").count
            lines.append("\(head(step)): a script of \(count) line\(count == 1 ? "" : "s") as \(user), at most \(seconds) s")
            lines += section("arguments", (script.argKeys ?? []).map { "\($0) = \(quoted(context.values[$0] ?? ""))" })
            lines += section("environment", [variables.keys.sorted().joined(separator: " ")])
            lines += section("script", script.script.split(separator: "\n").map(String.init))
        case .function(let function):
            let names = function.codeSource.keys.sorted()
            lines.append("\(head(step)): a \(function.runtime) function as \(user), at most \(seconds) s")
            lines += section("context", [context.values.keys.sorted().joined(separator: " ")])
            lines += section("environment", [variables.keys.sorted().joined(separator: " ")])
            lines += section("files", names.map { "\($0) (\(function.codeSource[$0]?.utf8.count ?? 0) bytes)" })
            lines += names.flatMap { section($0, (function.codeSource[$0] ?? "").split(separator: "\n").map(String.init)) }
        case .http, nil: break
        }
        return PlannedStep(lines)
    }

    /// A call of an HTTP processor.
    public static func call(_ step: JobRun.StepStart, context: StepContext, method: String, url: String) -> PlannedStep {
        PlannedStep(
            ["\(head(step)): \(method) \(url), at most \(step.spec.processor.effectiveTimeoutSeconds) s"]
                + section("members of the body", [context.values.keys.sorted().joined(separator: " ")]))
    }

    /// What a built-in operation says of itself.
    public static func builtIn(_ step: JobRun.StepStart, _ description: String) -> PlannedStep {
        PlannedStep(["\(head(step)): \(description)"])
    }

    private init(_ lines: [String]) { text = Text.prefix(lines.joined(separator: "\n"), bytesMax: Self.bytesMax) }

    private static func head(_ step: JobRun.StepStart) -> String {
        "not run (\(step.spec.effectiveEffect.rawValue)); it would be"
    }

    private static func section(_ name: String, _ lines: [String]) -> [String] {
        lines.allSatisfy(\.isEmpty) ? [] : ["\(name):"] + lines.map { "  \($0)" }
    }

    private static func quoted(_ value: String) -> String { "\"\(Text.firstLine(value, charactersMax: 200))\"" }
}
