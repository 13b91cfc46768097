import JSONCoding
import Model

/// What a run has made of a vertex, as whoever asks for a drawing tells it: graph-builder knows no diagnoses.
package enum VertexOutcome: String, Sendable, CaseIterable {
    case found = "Found"
    case ruledOut = "RuledOut"
    case error = "Error"
    case running = "Running"
    case skipped = "Skipped"

    /// Told by the mark as well as by the colour, for whoever prints it or does not tell red from green.
    package var mark: String {
        switch self {
        case .found: "✓"
        case .ruledOut: "–"
        case .error: "✗"
        case .running: "…"
        case .skipped: "·"
        }
    }

    package var fill: String {
        switch self {
        case .found: "#c8e6c9"
        case .ruledOut: "#e0e0e0"
        case .error: "#ffcdd2"
        case .running: "#bbdefb"
        case .skipped: "#fff9c4"
        }
    }

    /// Reads `1:Found,2:RuledOut`; nil where it is anything else or says a vertex twice.
    package static func parse(_ text: String) -> [Int: VertexOutcome]? {
        var outcomes: [Int: VertexOutcome] = [:]
        for item in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
            let parts = item.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let vertex = Int(parts[0]), vertex > 0, let outcome = VertexOutcome(rawValue: String(parts[1])),
                outcomes.updateValue(outcome, forKey: vertex) == nil
            else { return nil }
        }
        return outcomes
    }
}
