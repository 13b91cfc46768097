import AgentOperations
import JSONCoding

/// A result of an earlier operation that this one builds on, as the diagnosis' context has it.
struct EarlierResult: Sendable {
    static let bytesMax = 8 << 20

    let parameter: Parameter<String?>

    init(_ key: String, _ summary: String) {
        parameter = .optional(key, TextRule("a text of at most \(Self.bytesMax) bytes") { $0.utf8.count <= Self.bytesMax }, summary)
    }

    var key: String { parameter.definition.key }

    /// The whole of it; nil where there is none. Where the context has no more than its beginning, `KEY.path` names the file with all of
    /// it.
    func text(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> String? {
        guard let text = context[parameter] else { return nil }
        guard let path = context.values["\(key).path"] else { return text }
        guard TextRule.absolutePath.admits(path) else { throw .parameter("\(key).path", "must be \(TextRule.absolutePath.words)") }
        return try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return try files.text(path, bytesMax: Self.bytesMax)
            } catch {
                throw error.fault
            }
        }
    }

    /// The same where it is JSON.
    func json(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> JSON? {
        guard let text = try await text(context, host) else { return nil }
        do throws(JSON.ParseError) {
            return try JSON(parsing: Array(text.utf8))
        } catch {
            throw .parameter(key, "must be JSON: \(error)")
        }
    }
}
