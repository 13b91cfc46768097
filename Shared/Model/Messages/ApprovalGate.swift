/// The step that stands before a repair and lets a path go on only where the diagnosis' own parameters approve it.
public enum ApprovalGate {
    /// Where the agent serves it.
    public static let path = "/processor/approval"
    /// The parameter that names what is approved.
    public static let parameter = "approve"

    /// Whether a diagnosis approves anything; one that does not opens no gate.
    public static func isAddressed(by parameters: [String: String]) -> Bool {
        [parameter, "approval.\(parameter)"].contains { parameters[$0]?.isEmpty == false }
    }

    /// Whether an operation is the agent's own gate.
    static func stands(in operation: OperationSpec) -> Bool {
        guard let server = operation.processor.httpServer else { return false }
        return server.path == path && server.address == nil && server.port == nil
    }
}

extension Plan {
    /// True when no step can change anything in a diagnosis that approves nothing: all paths to such a step lead through a gate.
    public var isReadOnlyWithoutApproval: Bool {
        let known = Dictionary(vertices.map { ($0.id, $0) }) { first, _ in first }
        var seen: Set = [0]
        var open = [0]
        while let id = open.popLast() {
            guard let vertex = known[id] else { return false }
            if let name = vertex.operation {
                guard let operation = operations[name], operation.effectiveEffect == .read else { return false }
                // A gate whose failure is passed over is none.
                if ApprovalGate.stands(in: operation), vertex.continueOnFailure != true { continue }
            }
            open += (vertex.to ?? []).filter { seen.insert($0).inserted }
        }
        return true
    }
}
