import Model
import RegularExpressions

/// What the trigger-router says about a trigger before it is stored, beside the kind's own rules: whether RE2 takes its patterns, and what
/// is probably not meant.
public enum TriggerAdmission {
    /// Patterns that are shorter and match anywhere are warned of: `a` is in almost every name.
    public static let unanchoredCharactersMin = 4

    /// Each pattern that RE2 does not take, with RE2's own message, and a schedule that is none or never fires.
    public static func faults(_ trigger: Trigger) -> [FieldFault] {
        if case .invalid(let faults) = CompiledTrigger(trigger).source { faults } else { [] }
    }

    public static func warnings(_ trigger: Trigger) -> [String] {
        let isTargeted = trigger.spec.nodeName ?? "" != ""
        guard let template = MatchedTemplate(trigger.spec.sourceTemplate) else {
            guard trigger.spec.sourceTemplate.cronTemplate != nil, !isTargeted else { return [] }
            return ["spec.nodeName: a schedule names no target; without it nothing can be started"]
        }
        var warnings = template.patterns.compactMap { shortPatternWarning("\(template.path).regexp.\($0.field)", $0.pattern) }
        if template.patterns.isEmpty {
            warnings.append("\(template.path).regexp: without a pattern every \(template.origin.noun) matches")
        }
        if !template.targets.namesTarget, !isTargeted {
            warnings.append(
                "\(template.path): without nodeNameReferenceLabel, pod reference labels and spec.nodeName no \(template.origin.noun) has a target"
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
}
