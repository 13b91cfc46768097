import AgentOperations
import JSONCoding

/// Runtimes that speak the CRI, such as containerd and CRI-O, as crictl shows them by its own configuration.
struct CRI: Sendable {
    static let crictl = BuiltInDeclaration.Tool("crictl", package: "cri-tools")

    let host: Host

    /// What a command of crictl answers in JSON.
    func ask(_ arguments: [String]) async throws(BuiltInFault) -> JSON {
        let output = try await NodeNamespaces(host: host).run(Self.crictl, arguments, seconds: 20)
        guard output.status == 0 else { throw .failed("crictl \(arguments.joined(separator: " ")): \(output.lastLine)") }
        guard !output.isCut else {
            throw .failed("crictl \(arguments.joined(separator: " ")) says more than \(HostTools.outputBytesMax) bytes")
        }
        do throws(JSON.ParseError) {
            return try JSON(parsing: output.standardOutput)
        } catch {
            throw .failed("crictl \(arguments.joined(separator: " ")): the answer is not JSON: \(error)")
        }
    }
}
