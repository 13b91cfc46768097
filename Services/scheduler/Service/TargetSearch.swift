import KubernetesConnection
import Model
import SchedulerCore

/// What became of looking for a target in Kubernetes.
enum TargetLookup: Sendable, Equatable {
    /// At least one.
    case nodes([String])
    case failed(DiagnosisMachine.Resolution)
}

/// What a selector is held against, and what its matches come to: values without I/O.
enum TargetSearch {
    case nodes, pods

    static func take(nodes matches: [KubernetesNode], by selector: LabelSelector) -> TargetLookup {
        guard !matches.isEmpty else { return none("node", selector) }
        return .nodes(matches.map(\.name).sorted())
    }

    static func take(pods matches: [KubernetesPod], by selector: LabelSelector) -> TargetLookup {
        let names = Set(matches.map(\.nodeName)).subtracting([""]).sorted()
        if !names.isEmpty { return .nodes(names) }
        guard let waiting = matches.min(by: { ($0.namespace, $0.name) < ($1.namespace, $1.name) }) else { return none("pod", selector) }
        return .failed(.waiting(notScheduled(waiting)))
    }

    /// Each name once, where it came first.
    static func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    static func notScheduled(_ pod: KubernetesPod) -> Failure {
        let why = pod.unscheduledMessage.isEmpty ? "" : ": \(pod.unscheduledMessage)"
        return Failure(.podNotScheduled, "pod \(pod.namespace)/\(pod.name) has no node yet\(why)")
    }

    /// Kubernetes is up to date in this, so there is nothing to wait for.
    private static func none(_ kind: String, _ selector: LabelSelector) -> TargetLookup {
        .failed(.impossible(Failure(.noNodesMatched, "no \(kind) of the cluster matches \"\(selector)\"")))
    }
}

extension LabelSelector {
    /// Of `metav1.LabelSelector`, whose empty one selects everything. Throws where a key, a value or an operator is none of Kubernetes'.
    init(_ selector: KubernetesLabelSelector) throws(SelectorError) {
        var requirements: [Requirement] = (selector.matchLabels ?? [:]).sorted { $0.key < $1.key }.map { .equals($0.key, $0.value) }
        for expression in selector.matchExpressions ?? [] {
            let (key, values) = (expression.key, expression.values ?? [])
            switch expression.operator {
            case "In": requirements.append(.isIn(key, values))
            case "NotIn": requirements.append(.isNotIn(key, values))
            case "Exists": requirements.append(.exists(key))
            case "DoesNotExist": requirements.append(.isAbsent(key))
            default: throw SelectorError("\"\(expression.operator)\" is none of In, NotIn, Exists and DoesNotExist")
            }
        }
        self.init(requirements: requirements)
    }
}
