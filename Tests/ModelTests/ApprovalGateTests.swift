import Model
import Testing

@Suite struct ApprovalGateTests {
    private static let read = OperationSpec(processor: Processor(scriptRunner: ScriptProcessor(script: "true")), effect: .read)
    private static let change = OperationSpec(processor: Processor(scriptRunner: ScriptProcessor(script: "true")), effect: .mutate)
    private static let gate = OperationSpec(processor: Processor(httpServer: HTTPProcessor(path: ApprovalGate.path)), effect: .read)
    private static let elsewhere = OperationSpec(
        processor: Processor(httpServer: HTTPProcessor(address: "10.0.0.9", port: 80, path: ApprovalGate.path)), effect: .read)

    private func reads(_ vertices: [Vertex]) -> Bool {
        let operations = ["read": Self.read, "change": Self.change, "gate": Self.gate, "elsewhere": Self.elsewhere]
        return Plan(operationSet: "s", hash: "h", vertices: vertices, operations: operations).isReadOnlyWithoutApproval
    }

    @Test func aGateKeepsTheRepairsBehindIt() {
        #expect(reads([Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "gate", to: [2]), Vertex(id: 2, operation: "change")]))
        #expect(
            reads([
                Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "read", to: [2, 4]), Vertex(id: 2, operation: "gate", to: [3]),
                Vertex(id: 3, operation: "change", to: [4]), Vertex(id: 4, operation: "read"),
            ]))
    }

    @Test func aWayAroundItIsFound() {
        // Past the gate, past one whose failure does not count, and past one that is another's.
        #expect(
            !reads([
                Vertex(id: 0, to: [1, 3]), Vertex(id: 1, operation: "gate", to: [2]), Vertex(id: 2, operation: "change"),
                Vertex(id: 3, operation: "read", to: [2]),
            ]))
        #expect(
            !reads([
                Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "gate", to: [2], continueOnFailure: true),
                Vertex(id: 2, operation: "change"),
            ]))
        #expect(!reads([Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "elsewhere", to: [2]), Vertex(id: 2, operation: "change")]))
        #expect(!reads([Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "unknown")]))
    }

    @Test func onlyItsOwnParameterAsksForIt() {
        #expect(ApprovalGate.isAddressed(by: ["approve": "cordon"]) && ApprovalGate.isAddressed(by: ["approval.approve": "x"]))
        #expect(!ApprovalGate.isAddressed(by: ["approve": "", "approved": "cordon"]))
    }
}
