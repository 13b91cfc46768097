import Model

/// What a trigger makes of an alert, with the reason.
public enum Verdict: Sendable, Hashable {
    case matches
    /// The first condition that does not hold.
    case differs(FieldDifference)
    /// The trigger listens to another source.
    case otherSource(String)
    /// The trigger's patterns do not compile.
    case invalid([FieldFault])
}

/// A field of an alert that does not match a trigger's pattern for it.
public struct FieldDifference: Sendable, Hashable, CustomStringConvertible {
    public let field: AlertField
    /// Nil where the alert has no such label or annotation.
    public let text: String?
    public let pattern: String

    /// `labels.mountpoint "/data" !~ ^/var$`, the text cut to 200 characters.
    public var description: String {
        guard let text else { return "\(field) is absent, wanted \(pattern.isEmpty ? "any value" : pattern)" }
        let shown = text.count > 200 ? text.prefix(200).debugDescription + "…" : text.debugDescription
        return "\(field) \(shown) !~ \(pattern)"
    }
}

extension Verdict: CustomStringConvertible {
    public var description: String {
        switch self {
        case .matches: "matches"
        case .differs(let difference): difference.description
        case .otherSource(let source): "the trigger listens to \(source) alone"
        case .invalid(let faults): faults.map(\.description).joined(separator: "; ")
        }
    }
}

extension CompiledTrigger {
    /// Judges an alert as `matches` does, and says why not.
    public func verdict(on alert: Alert) -> Verdict {
        switch source {
        case .invalid(let faults): return .invalid(faults)
        case .cron: return .otherSource(Alert.Origin.cron.rawValue)
        case .matching(let origin, _):
            guard origin == alert.origin else { return .otherSource(origin.rawValue) }
        }
        guard let failed = conditions.first(where: { !$0.holds(for: alert) }) else { return .matches }
        return .differs(FieldDifference(field: failed.field, text: alert.text(of: failed.field), pattern: failed.pattern.source))
    }
}
