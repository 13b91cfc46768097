import Model
import RegularExpressions

/// What the trigger-router says about a trigger before it is stored, beside the kind's own rules: whether RE2 takes its patterns, and what
/// is probably not meant.
public enum TriggerAdmission {
    /// Patterns that are shorter and match anywhere are warned of: `a` is in almost every name.
    public static let unanchoredCharactersMin = 4

    /// Each pattern that RE2 does not take, with RE2's own message.
    public static func faults(_ trigger: Trigger) -> [FieldFault] {
        patterns(of: trigger).compactMap { path, source -> FieldFault? in
            do throws(PatternError) {
                _ = try Pattern(compiling: source)
                return nil
            } catch {
                return FieldFault(path, .invalid, error.message)
            }
        }
    }

    public static func warnings(_ trigger: Trigger) -> [String] {
        var warnings = patterns(of: trigger).compactMap { shortPatternWarning($0, $1) }
        guard let template = trigger.spec.sourceTemplate.prometheusAlertTemplate else {
            let source = trigger.spec.sourceTemplate.sourceName
            return source.isEmpty ? warnings : warnings + ["spec.sourceTemplate: \(source) is not connected yet; the trigger never fires"]
        }
        if template.regexp.byField.allSatisfy({ $0.pattern.isEmpty }) {
            warnings.append("spec.sourceTemplate.prometheusAlertTemplate.regexp: without a pattern every alert matches")
        }
        if !namesTarget(template), trigger.spec.nodeName ?? "" == "" {
            warnings.append(
                "spec.sourceTemplate.prometheusAlertTemplate: without nodeNameReferenceLabel, pod reference labels and spec.nodeName no alert has a target"
            )
        }
        return warnings
    }

    private static func shortPatternWarning(_ path: String, _ source: String) -> String? {
        guard case .substring(let literal) = PatternForm(analyzing: source), !source.isEmpty,
            String(decoding: literal, as: UTF8.self).count < unanchoredCharactersMin
        else { return nil }
        return "\(path): \(source.debugDescription) matches wherever it occurs; ^\(source)$ matches the whole text alone"
    }

    private static func namesTarget(_ template: PrometheusAlertTemplate) -> Bool {
        func isNamed(_ label: String?) -> Bool { !(label ?? "").isEmpty }
        return isNamed(template.nodeNameReferenceLabel)
            || isNamed(template.podNamespaceReferenceLabel) && isNamed(template.podNameReferenceLabel)
    }

    /// Every pattern of every kind of template, with its path.
    private static func patterns(of trigger: Trigger) -> [(path: String, source: String)] {
        let template = trigger.spec.sourceTemplate
        var result: [(String, String)] = []
        func add(_ path: String, _ fields: [(String, String?)]) {
            for (name, source) in fields {
                if let source { result.append(("spec.sourceTemplate.\(path).regexp.\(name)", source)) }
            }
        }
        if let regexp = template.prometheusAlertTemplate?.regexp {
            add("prometheusAlertTemplate", regexp.byField.map { ("\($0.field)", $0.pattern) })
        }
        if let regexp = template.kubernetesEventTemplate?.regexp {
            add(
                "kubernetesEventTemplate",
                [
                    ("name", regexp.name), ("namespace", regexp.namespace), ("reason", regexp.reason), ("message", regexp.message),
                    ("source.component", regexp.source?.component), ("source.host", regexp.source?.host),
                ])
        }
        if let regexp = template.commonEventTemplate?.regexp {
            add(
                "commonEventTemplate",
                [
                    ("source", regexp.source), ("severity", regexp.severity), ("class", regexp.class), ("component", regexp.component),
                    ("group", regexp.group),
                ])
        }
        return result
    }
}
