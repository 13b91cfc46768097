import JSONCoding
import Model

/// Holds values against Schema Objects of the documents, as strictly as they can be read: a member that is not documented is a fault.
struct SchemaCheck {
    let folder: DocumentFolder

    private static let keywords: Set<String> = [
        "description", "type", "format", "enum", "default", "example", "nullable", "minimum", "maximum", "minLength", "maxLength",
        "minItems",
        "maxItems", "maxProperties", "pattern", "required", "properties", "items", "additionalProperties", "oneOf", "anyOf", "allOf",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    ]

    /// What is wrong with `value`; empty when nothing is.
    func faults(_ value: JSON, _ schema: DocumentFolder.Located, at path: String = "") throws -> [String] {
        let schema = try folder.resolve(schema)
        let keywords = schema.value.objectValue ?? [:]
        let unknown = keywords.keys.filter { !Self.keywords.contains($0) }
        guard unknown.isEmpty else { return ["\(path): the schema has \(unknown.sorted()), which is not understood"] }
        if value == .null, keywords["nullable"] == true { return [] }
        if let alternatives = keywords["anyOf"]?.arrayValue {
            let found = try alternatives.map { try faults(value, .init(file: schema.file, value: $0), at: path) }
            return found.contains { $0.isEmpty } ? [] : found.flatMap { $0 }
        }
        if let alternatives = keywords["oneOf"]?.arrayValue { return try oneOf(value, alternatives, schema.file, path) }
        if let parts = keywords["allOf"]?.arrayValue {
            return try parts.flatMap { try faults(value, .init(file: schema.file, value: $0), at: path) }
        }
        if let values = keywords["enum"]?.arrayValue, !values.contains(value) { return ["\(path): \(value) is not among \(values)"] }
        switch keywords["type"]?.stringValue {
        case nil: return []
        case "object": return try object(value, schema, keywords, path)
        case "array": return try array(value, schema, keywords, path)
        case "string": return string(value, keywords, path)
        case "integer": return number(value.integerValue.map(Double.init), value, keywords, path)
        case "number": return number(value.numberValue, value, keywords, path)
        case "boolean": return value.boolValue == nil ? ["\(path): is no boolean but \(value)"] : []
        case let type?: return ["\(path): the type \(type) is not understood"]
        }
    }

    /// Exactly one has to fit.
    private func oneOf(_ value: JSON, _ alternatives: [JSON], _ file: String, _ path: String) throws -> [String] {
        let found = try alternatives.map { try faults(value, .init(file: file, value: $0), at: path) }
        switch found.count(where: \.isEmpty) {
        case 0: return found.flatMap { $0 }
        case 1: return []
        case let count: return ["\(path): \(value) fits \(count) of the alternatives"]
        }
    }

    private func object(_ value: JSON, _ schema: DocumentFolder.Located, _ keywords: [String: JSON], _ path: String) throws -> [String] {
        guard let members = value.objectValue else { return ["\(path): is no object but \(value)"] }
        let required = (keywords["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        var faults = required.filter { members[$0] == nil }.map { "\(path).\($0): is required and absent" }
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            if let property = keywords["properties"]?[key] {
                faults += try self.faults(member, .init(file: schema.file, value: property), at: "\(path).\(key)")
            } else if case .object? = keywords["additionalProperties"], let rest = schema.member("additionalProperties") {
                faults += try self.faults(member, rest, at: "\(path).\(key)")
            } else if keywords["additionalProperties"] != true {
                faults.append("\(path).\(key): is not documented")
            }
        }
        return faults
    }

    private func array(_ value: JSON, _ schema: DocumentFolder.Located, _ keywords: [String: JSON], _ path: String) throws -> [String] {
        guard let items = value.arrayValue else { return ["\(path): is no array but \(value)"] }
        if let most = keywords["maxItems"]?.integerValue, items.count > most { return ["\(path): has more than \(most) items"] }
        guard let element = schema.member("items") else { return ["\(path): the schema says nothing of the items"] }
        return try items.enumerated().flatMap { try faults($1, element, at: "\(path)[\($0)]") }
    }

    private func string(_ value: JSON, _ keywords: [String: JSON], _ path: String) -> [String] {
        guard let text = value.stringValue else { return ["\(path): is no string but \(value)"] }
        if let most = keywords["maxLength"]?.integerValue, text.utf8.count > most { return ["\(path): is longer than \(most)"] }
        if let least = keywords["minLength"]?.integerValue, text.utf8.count < least { return ["\(path): is shorter than \(least)"] }
        if let pattern = keywords["pattern"]?.stringValue, (try? Regex(pattern).firstMatch(in: text)) == nil {
            return ["\(path): \(text) does not match \(pattern)"]
        }
        if keywords["format"] == "date-time", Timestamp(text) == nil { return ["\(path): \(text) is no time"] }
        return []
    }

    private func number(_ number: Double?, _ value: JSON, _ keywords: [String: JSON], _ path: String) -> [String] {
        guard let number else { return ["\(path): is no \(keywords["type"]?.stringValue ?? "number") but \(value)"] }
        if let least = keywords["minimum"]?.numberValue, number < least { return ["\(path): \(number) is below \(least)"] }
        if let most = keywords["maximum"]?.numberValue, number > most { return ["\(path): \(number) is above \(most)"] }
        return []
    }
}
