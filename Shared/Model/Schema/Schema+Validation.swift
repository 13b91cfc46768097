import JSONCoding

/// What holding a value against a schema found.
public struct SchemaFindings: Sendable {
    /// Everything that is wrong, in document order.
    public var faults: [FieldFault] = []
    /// Paths of members that the schema does not know.
    public var unknownFields: [String] = []
    /// Faults reported at most; a document can be made of faults alone.
    public static let faultsMax = 100

    public init() {}
}

extension Schema {
    /// Holds `value` against this schema and returns it pruned of unknown members and nulls, with defaults filled in.
    ///
    /// A `null` member counts as absent, as in Kubernetes. `path` is the path of the value itself, empty for the root.
    public func check(_ value: JSON, at path: String, into findings: inout SchemaFindings) -> JSON {
        switch shape {
        case .object(let properties): checkObject(value, properties, path, &findings)
        case .map(let values, let entriesMax, let keyFault): checkMap(value, values, entriesMax, keyFault, path, &findings)
        case .array(let items, let itemsMin, let itemsMax): checkArray(value, items, itemsMin...max(itemsMin, itemsMax), path, &findings)
        case .string(let rules): checkString(value, rules, path, &findings)
        case .integer(let range): checkInteger(value, range, path, &findings)
        case .number(let range): checkNumber(value, range, path, &findings)
        case .boolean: checkBoolean(value, path, &findings)
        case .either(let alternatives): checkEither(value, alternatives, path, &findings)
        case .anything: value
        }
    }

    private func checkObject(_ value: JSON, _ properties: [SchemaProperty], _ path: String, _ findings: inout SchemaFindings) -> JSON {
        guard case .object(let members) = value else { return mismatch(value, "an object", path, &findings) }
        var result: [String: JSON] = [:]
        var known = 0
        for property in properties {
            let member = members[property.name]
            if member != nil { known += 1 }
            let memberPath = Self.join(path, property.name)
            switch member {
            case nil, .null?:
                if let defaultValue = property.schema.defaultValue {
                    result[property.name] = defaultValue
                } else if property.isRequired {
                    findings.add(FieldFault(memberPath, .required, "is required"))
                }
            case let member?:
                result[property.name] = property.schema.check(member, at: memberPath, into: &findings)
            }
        }
        if known < members.count {
            let names = Set(properties.map(\.name))
            for key in members.keys.sorted() where !names.contains(key) {
                if findings.unknownFields.count < SchemaFindings.faultsMax { findings.unknownFields.append(Self.join(path, key)) }
            }
        }
        return .object(result)
    }

    private func checkMap(
        _ value: JSON, _ values: Schema, _ entriesMax: Int, _ keyFault: (String) -> String?, _ path: String,
        _ findings: inout SchemaFindings
    ) -> JSON {
        guard case .object(let members) = value else { return mismatch(value, "an object", path, &findings) }
        if members.count > entriesMax { findings.add(FieldFault(path, .tooMany, "must have at most \(entriesMax) entries")) }
        var result: [String: JSON] = [:]
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            let memberPath = "\(path)[\(key)]"
            if let fault = keyFault(key) { findings.add(FieldFault(memberPath, .invalid, "key \(fault)")) }
            if member != .null { result[key] = values.check(member, at: memberPath, into: &findings) }
        }
        return .object(result)
    }

    private func checkArray(_ value: JSON, _ items: Schema, _ count: ClosedRange<Int>, _ path: String, _ findings: inout SchemaFindings)
        -> JSON
    {
        guard case .array(let elements) = value else { return mismatch(value, "an array", path, &findings) }
        if elements.count < count.lowerBound { findings.add(FieldFault(path, .required, "must have at least \(count.lowerBound) items")) }
        if elements.count > count.upperBound {
            findings.add(FieldFault(path, .tooMany, "must have at most \(count.upperBound) items"))
            return value
        }
        checkDistinct(elements, path, &findings)
        return .array(elements.enumerated().map { items.check($1, at: "\(path)[\($0)]", into: &findings) })
    }

    /// Items that cannot be told apart could not be owned one by one.
    private func checkDistinct(_ elements: [JSON], _ path: String, _ findings: inout SchemaFindings) {
        guard let listType else { return }
        var seen: Set<JSON> = []
        for (index, element) in elements.enumerated() {
            let identity: JSON =
                switch listType {
                case .set: element
                case .map(let keys): .array(keys.map { element[$0] ?? .null })
                }
            guard !seen.insert(identity).inserted else { continue }
            let what =
                switch listType {
                case .set: "\(element)"
                case .map(let keys): keys.map { "\($0) \(element[$0] ?? .null)" }.joined(separator: ", ")
                }
            findings.add(FieldFault("\(path)[\(index)]", .duplicate, "\(what) stands twice"))
        }
    }

    private func checkString(_ value: JSON, _ rules: StringRules, _ path: String, _ findings: inout SchemaFindings) -> JSON {
        guard case .string(let text) = value else { return mismatch(value, "a string", path, &findings) }
        if text.utf8.count > rules.bytesMax {
            findings.add(FieldFault(path, .tooLong, "must be no more than \(rules.bytesMax) bytes"))
        } else if text.utf8.count < rules.bytesMin {
            findings.add(FieldFault(path, .required, "must not be empty"))
        } else if let values = rules.values, !values.contains(text) {
            findings.add(FieldFault(path, .notSupported, "\"\(text)\" is not supported; one of \(values.joined(separator: ", "))"))
        } else if let fault = rules.fault?(text) {
            findings.add(FieldFault(path, .invalid, fault))
        }
        return value
    }

    private func checkInteger(_ value: JSON, _ range: ClosedRange<Int64>, _ path: String, _ findings: inout SchemaFindings) -> JSON {
        guard case .integer(let number) = value else { return mismatch(value, "an integer", path, &findings) }
        if !range.contains(number) {
            findings.add(FieldFault(path, .invalid, "must be between \(range.lowerBound) and \(range.upperBound)"))
        }
        return value
    }

    private func checkNumber(_ value: JSON, _ range: ClosedRange<Double>, _ path: String, _ findings: inout SchemaFindings) -> JSON {
        let number: Double
        switch value {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default: return mismatch(value, "a number", path, &findings)
        }
        if !range.contains(number) {
            findings.add(FieldFault(path, .invalid, "must be between \(range.lowerBound) and \(range.upperBound)"))
        }
        return value
    }

    private func checkBoolean(_ value: JSON, _ path: String, _ findings: inout SchemaFindings) -> JSON {
        guard case .bool = value else { return mismatch(value, "a boolean", path, &findings) }
        return value
    }

    private func checkEither(_ value: JSON, _ alternatives: [Schema], _ path: String, _ findings: inout SchemaFindings) -> JSON {
        for alternative in alternatives {
            var own = SchemaFindings()
            let result = alternative.check(value, at: path, into: &own)
            guard own.faults.isEmpty else { continue }
            for field in own.unknownFields where findings.unknownFields.count < SchemaFindings.faultsMax {
                findings.unknownFields.append(field)
            }
            return result
        }
        let expected = alternatives.map { $0.name ?? $0.shape.typeName }.joined(separator: " or ")
        return mismatch(value, expected, path, &findings)
    }

    private func mismatch(_ value: JSON, _ expected: String, _ path: String, _ findings: inout SchemaFindings) -> JSON {
        findings.add(FieldFault(path, .typeInvalid, "must be \(expected), not \(value.kindDescription)"))
        return value
    }

    static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }
}

extension SchemaFindings {
    public mutating func add(_ fault: FieldFault) {
        if faults.count < Self.faultsMax { faults.append(fault) }
    }
}
