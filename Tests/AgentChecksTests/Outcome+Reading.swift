import AgentChecks
import AgentOperations
import RecordedHost
import Testing

func check(_ name: String) throws -> BuiltIn {
    try #require(NodeChecks.all.first { $0.name == name }, "no check is called \(name)")
}

extension BuiltInOutcome {
    /// The finding of a fault that is there; fails where it was ruled out.
    func fault() throws -> Finding {
        try #require(ruledOut == nil, "ruled out: \(ruledOut ?? "")")
        return try #require(finding)
    }

    /// What was looked at, of a fault that is not there.
    func sentence() throws -> String {
        try #require(ruledOut, "found: \(finding?.summary ?? "")")
    }
}

extension Finding {
    func number(_ name: String) -> Double? {
        for item in evidence where item.name == name {
            if case .number(let number, _) = item.value { return number }
        }
        return nil
    }

    func texts(_ name: String) -> [String] {
        evidence.compactMap { item in
            if item.name == name, case .text(let text) = item.value { text } else { nil }
        }
    }
}
