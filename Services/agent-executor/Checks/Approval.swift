import AgentOperations
import Model

/// The gate in front of a repair: a path goes on past it only where whoever asked for the diagnosis named the repair.
enum Approval {
    private static let repair = Parameter.required("repair", .word(bytesMax: 63), "The repair that the gate stands before.")
    private static let approve = Parameter.optional(
        ApprovalGate.parameter, .line(), "The repairs that are approved, separated by commas; by the diagnosis' own parameters alone."
    ).ofCallerAlone

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "approval", "Lets a path go on to its repair only where the diagnosis' parameter approve names it.",
            succeedsWhen: "approve has the value of repair among its words", parameters: [repair.definition, approve.definition])
    ) { context, _ throws(BuiltInFault) in
        let repair = context[repair]
        let approved = (context[approve] ?? "").split { $0 == "," || $0 == " " }
        guard approved.contains(repair[...]) else {
            return .ruledOut("\(repair) is not approved; a diagnosis with the parameter approve=\(repair) carries it out.")
        }
        return .found(Finding(.info, "\(repair) is approved."))
    }
}
