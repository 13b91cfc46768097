import Model

extension FuzzTarget {
    /// Label selectors: their text reads back as the same selector, and as many objects match.
    static let labelSelector = FuzzTarget(
        "label-selector", bytesMax: 1024, words: [" in (", " notin (", "!=", "==", "!", ",", ")", "example.com/", "app", "tier"]
    ) { input in
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let selector: LabelSelector
        do { selector = try LabelSelector(parsing: text) } catch { return }
        let again = try LabelSelector(parsing: selector.description)
        try expect(again == selector, "\"\(selector)\" is read back as \"\(again)\"")
        for labels in labels(for: selector) {
            try expect(selector.matches(labels) == reference(selector, labels), "\"\(selector)\" and \(labels)")
        }
    }

    /// Sets of labels near what the selector asks for.
    private static func labels(for selector: LabelSelector) -> [[String: String]] {
        var sets: [[String: String]] = [[:], ["app": "web"]]
        var all: [String: String] = [:]
        for requirement in selector.requirements.prefix(8) {
            switch requirement {
            case .equals(let key, let value), .notEquals(let key, let value): all[key] = value
            case .isIn(let key, let values), .isNotIn(let key, let values): all[key] = values.first
            case .exists(let key), .isAbsent(let key): all[key] = ""
            }
            sets.append(all)
        }
        return sets
    }

    private static func reference(_ selector: LabelSelector, _ labels: [String: String]) -> Bool {
        for requirement in selector.requirements {
            switch requirement {
            case .equals(let key, let value): if labels[key] == nil || labels[key] != value { return false }
            case .notEquals(let key, let value): if let own = labels[key], own == value { return false }
            case .isIn(let key, let values):
                guard let own = labels[key], Set(values).contains(own) else { return false }
            case .isNotIn(let key, let values): if let own = labels[key], Set(values).contains(own) { return false }
            case .exists(let key): if !labels.keys.contains(key) { return false }
            case .isAbsent(let key): if labels.keys.contains(key) { return false }
            }
        }
        return true
    }

    /// Field selectors, read for every kind: their text reads back as the same selector.
    static let fieldSelector = FuzzTarget(
        "field-selector", bytesMax: 1024,
        words: ["metadata.name", "metadata.namespace", "=", "==", "!=", ",", "\\,", "\\="]
            + API.definitions.flatMap(\.names.selectableFields)
    ) { input in
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let selectable = API.definitions.flatMap(\.names.selectableFields)
        let selector: FieldSelector
        do { selector = try FieldSelector(parsing: text, selectable: selectable) } catch { return }
        let again = try FieldSelector(parsing: selector.description, selectable: selectable)
        try expect(again == selector, "\"\(selector)\" is read back as \"\(again)\"")
        for requirement in selector.requirements.prefix(8) {
            let one = FieldSelector(requirements: [requirement])
            let isMatch = one.matches(
                name: requirement.value, namespace: requirement.value, fields: [requirement.field: requirement.value])
            try expect(isMatch == requirement.isEqual, "\"\(one)\" and its own value")
        }
    }
}
