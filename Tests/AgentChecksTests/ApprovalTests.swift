import AgentOperations
import RecordedHost
import Testing

@Suite struct ApprovalTests {
    @Test(arguments: [nil, "", "cordon-all", "restart,cordo", "CORDON"])
    func keepsWhatWasNotApproved(_ approve: String?) async throws {
        let sentence = try await check("approval").run(parameters(approve), on: RecordedHost().host()).sentence()
        #expect(sentence == "cordon is not approved; a diagnosis with the parameter approve=cordon carries it out.")
    }

    @Test(arguments: ["cordon", "restart,cordon", "cordon restart"])
    func letsPassWhatWasApproved(_ approve: String) async throws {
        #expect(try await check("approval").run(parameters(approve), on: RecordedHost().host()).fault().summary == "cordon is approved.")
    }

    @Test func neitherAResultNorTheOperationItselfApproves() async throws {
        let gate = try check("approval")
        let approved = ["repair": "cordon", "approve": "cordon", "approval.approve": "cordon"]
        let context = try BuiltInContext(
            gate.declaration, values: approved, callerValues: ["approve": "nothing"], defaults: approved, timeoutSeconds: 5)
        #expect(try await gate.run(context, RecordedHost().host()).ruledOut != nil)
    }

    private func parameters(_ approve: String?) -> [String: String] {
        ["repair": "cordon"].merging(approve.map { ["approve": $0] } ?? [:]) { first, _ in first }
    }
}
