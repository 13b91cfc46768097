import JSONCoding
import Model

/// What a step has to say: the value of a result whose key ends in `.finding`.
struct ReportFinding: Sendable, Equatable {
    enum Severity: Int, Sendable, Comparable {
        case critical
        case warning
        case info

        init(_ text: String) {
            switch text.lowercased() {
            case "critical": self = .critical
            case "warning": self = .warning
            default: self = .info
            }
        }

        var word: String {
            switch self {
            case .critical: "Critical"
            case .warning: "Warning"
            case .info: "Info"
            }
        }

        static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }

    struct Evidence: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// The result's key without its end.
    let name: String
    let severity: Severity
    let summary: String
    let evidence: [Evidence]
    let hint: String?

    /// Nil where the value is none of a finding.
    init?(key: String, value: String) {
        guard key.hasSuffix(".finding"), case .object(let members)? = Self.parsed(value), let summary = members["summary"]?.stringValue
        else { return nil }
        name = String(key.dropLast(".finding".count))
        severity = Severity(members["severity"]?.stringValue ?? "")
        self.summary = summary
        hint = members["hint"]?.stringValue
        evidence = (members["evidence"]?.arrayValue ?? []).compactMap { item in
            guard let name = item["name"]?.stringValue, let value = item["value"] else { return nil }
            return Evidence(name: name, value: Self.text(value, unit: item["unit"]?.stringValue ?? ""))
        }
    }

    private static func text(_ value: JSON, unit: String) -> String {
        switch value {
        case .integer(let number): return QuantityText.text(Double(number), unit: unit)
        case .number(let number): return QuantityText.text(number, unit: unit)
        default:
            let text = value.stringValue ?? String(decoding: value.encoded(), as: UTF8.self)
            return unit.isEmpty ? text : "\(text) \(unit)"
        }
    }

    private static func parsed(_ text: String) -> JSON? {
        do throws(JSON.ParseError) {
            return try JSON(parsing: Array(text.utf8))
        } catch {
            return nil
        }
    }

    /// The findings among a diagnosis' results, the worst first.
    static func all(in results: [String: ResultValue]) -> [ReportFinding] {
        results.sorted { $0.key < $1.key }.compactMap { ReportFinding(key: $0.key, value: $0.value.preview) }
            .sorted { ($0.severity, $0.name) < ($1.severity, $1.name) }
    }
}
