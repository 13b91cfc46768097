import AgentExecutorCore
public import JSONCoding
public import Model

/// What a check has to say: how bad it is, in one sentence; the numbers; and what to do about it.
///
/// It stands in the results as JSON under `NAME.finding`, its sentence as text under `NAME.summary`.
public struct Finding: Sendable, Equatable {
    public enum Severity: String, Sendable, CaseIterable {
        /// Worth knowing.
        case info = "Info"
        /// Something suffers or soon will.
        case warning = "Warning"
        /// Something is broken or about to break.
        case critical = "Critical"
    }

    /// One number or text that bears the sentence out.
    public struct Evidence: Sendable, Equatable {
        public enum Value: Sendable, Equatable {
            /// Units are those of Prometheus' naming: `bytes`, `seconds`, `percent`, `celsius`; empty for a count.
            case number(Double, unit: String)
            case text(String)
        }

        public let name: String
        public let value: Value

        public init(_ name: String, _ number: some BinaryInteger, unit: String = "") {
            self.name = name
            value = .number(Double(number), unit: unit)
        }

        public init(_ name: String, _ number: Double, unit: String = "") {
            self.name = name
            value = .number(number, unit: unit)
        }

        public init(_ name: String, _ text: String) {
            self.name = name
            value = .text(text)
        }
    }

    public static let evidenceMax = 64
    public static let textBytesMax = 1024

    public let severity: Severity
    public let summary: String
    /// What is past `evidenceMax` is left out.
    public let evidence: [Evidence]
    public let hint: String?

    public init(_ severity: Severity, _ summary: String, evidence: [Evidence] = [], hint: String? = nil) {
        self.severity = severity
        self.summary = Text.prefix(summary, bytesMax: Self.textBytesMax)
        self.evidence = Array(evidence.prefix(Self.evidenceMax))
        self.hint = hint.map { Text.prefix($0, bytesMax: Self.textBytesMax) }
    }

    public var json: JSON {
        var members: [String: JSON] = [
            "severity": .string(severity.rawValue), "summary": .string(summary), "evidence": .array(evidence.map(\.json)),
        ]
        if let hint { members["hint"] = .string(hint) }
        return .object(members)
    }

    /// What `json` looks like.
    public static let schema = Schema.object(
        "What a check has to say.",
        [
            .required(
                "severity",
                .choice(
                    """
                    Info: worth knowing. Warning: something suffers or soon will. Critical: something is broken or about to break.
                    """, Severity.allCases.map(\.rawValue))),
            .required("summary", .string("One sentence with the numbers that matter.", max: textBytesMax)),
            .required(
                "evidence",
                .array(
                    "The numbers and texts that bear the summary out, what matters most first.",
                    of: .object(
                        "One number or text.",
                        [
                            .required("name", .string("What it is.", max: textBytesMax)),
                            .required(
                                "value",
                                Schema(
                                    .either([.string("A text.", max: textBytesMax), Schema(.number(-1e18...1e18), "A number.")]),
                                    "The number, or a text.")),
                            .optional("unit", .string("Of a number: bytes, seconds, percent and the like; absent for a count.", max: 63)),
                        ]), max: evidenceMax)),
            .optional("hint", .string("What to look at or do next.", max: textBytesMax)),
        ]
    )
}

extension Finding.Evidence {
    var json: JSON {
        switch value {
        case .text(let text):
            .object(["name": .string(name), "value": .string(Text.prefix(text, bytesMax: Finding.textBytesMax))])
        case .number(let number, let unit):
            .object(
                ["name": .string(name), "value": Self.json(number, unit)].merging(unit.isEmpty ? [:] : ["unit": .string(unit)]) {
                    first, _ in
                    first
                })
        }
    }

    /// Whole numbers without a fraction, others to the thousandth, and seconds to the millionth; a number that is none is no JSON.
    private static func json(_ number: Double, _ unit: String) -> JSON {
        guard number.isFinite else { return .string("\(number)") }
        let bounded = min(max(number, -1e18), 1e18)
        let precision = unit == "seconds" ? 1e6 : 1e3
        return bounded == bounded.rounded() ? .integer(Int64(bounded)) : .number((bounded * precision).rounded() / precision)
    }
}
