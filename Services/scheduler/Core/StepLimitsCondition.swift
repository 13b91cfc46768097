import Model

extension StepLimitSupport {
    /// Characters of an agent's reason that are shown.
    private static let causeCharactersMax = 512
    private static let wanted = ["cpu", "memory", "pids"]

    /// The condition `StepLimits` of an Agent: True where control groups hold all three limits of its steps.
    package var condition: Condition {
        let held = Self.wanted.filter(controllers.contains)
        let missing = Self.wanted.filter { !held.contains($0) }
        guard !missing.isEmpty else {
            return Condition(
                type: "StepLimits", status: .true, reason: "ControlGroups", message: "control groups hold \(Self.list(held)) of steps")
        }
        let why = cause.map { ": \($0.prefix(Self.causeCharactersMax))" } ?? ""
        guard !held.isEmpty else {
            return Condition(
                type: "StepLimits", status: .false, reason: "NoControlGroups",
                message: "no control group holds \(Self.list(missing)) of steps\(why)")
        }
        return Condition(
            type: "StepLimits", status: .false, reason: "ControllersMissing",
            message: "control groups hold \(Self.list(held)) of steps, but not \(Self.list(missing))\(why)")
    }

    private static func list(_ names: [String]) -> String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
    }
}
