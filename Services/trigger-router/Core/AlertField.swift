/// A part of an alert that a trigger can hold a pattern against.
public enum AlertField: Hashable, Sendable {
    /// The label `alertname`; an absent one is the empty text.
    case alertName
    /// A label; an absent one matches no pattern, not even the empty one.
    case label(String)
    /// An annotation; an absent one matches no pattern, not even the empty one.
    case annotation(String)
    /// An absent time is Go's zero time.
    case startsAt
    case endsAt
    case generatorURL
    /// A member of an event, such as `reason` or `source.component`; an absent one is the empty text.
    case member(String)
}

extension AlertField: CustomStringConvertible {
    /// The field's path below a template's `regexp`: `labels.mountpoint`.
    public var description: String {
        switch self {
        case .alertName: "alertName"
        case .label(let name): "labels.\(name)"
        case .annotation(let name): "annotations.\(name)"
        case .startsAt: "startsAt"
        case .endsAt: "endsAt"
        case .generatorURL: "generatorURL"
        case .member(let name): name
        }
    }
}

extension Alert {
    /// The text of a field; nil where a label or an annotation is absent.
    public func text(of field: AlertField) -> String? {
        switch field {
        case .alertName: name
        case .label(let name): labels[name]
        case .annotation(let name): annotations[name]
        case .startsAt: (startsAt ?? .zero).text
        case .endsAt: (endsAt ?? .zero).text
        case .generatorURL: generatorURL
        case .member(let name): labels[name] ?? ""
        }
    }

    /// A second spelling of a field that a pattern may match instead: the times as the original KubeDiag saw them.
    func otherText(of field: AlertField) -> String? {
        switch field {
        case .startsAt: (startsAt ?? .zero).goText
        case .endsAt: (endsAt ?? .zero).goText
        case .alertName, .label, .annotation, .generatorURL, .member: nil
        }
    }
}
