import JSONCoding
import Model

/// A seeded generator (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Objects of a kind by its schema, with members left out, values of the wrong type and text that is hard to spell.
struct RandomObject {
    var generator: SeededGenerator
    private static let texts = [
        "2027-01-15T07:59:30Z", "2027-01-15T08:00:00.250000Z", "2026-11-02T00:00:00Z", "Ready", "True", "False", "NoSuchOperation", "",
        "web-07", "a \"quoted\" } text", "back\\slash\\", "{\"metadata\":{}}", "line\nbreak \u{1}", "naïve 中 😀", "},\"spec\":{",
    ]

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func object(of definition: ResourceDefinition, _ number: Int) -> JSON {
        var object = value(definition.schema, isExact: true)
        if object["metadata"]?.objectValue == nil { object["metadata"] = [:] }
        object["metadata"]?["name"] = .string("object-\(number)")
        object["metadata"]?["uid"] = .string("uid-\(number)")
        object["metadata"]?["namespace"] = definition.names.scope == .namespaced ? "ns" : nil
        object["metadata"]?["resourceVersion"] = nil
        return object
    }

    private mutating func value(_ schema: Schema, isExact: Bool = false) -> JSON {
        if !isExact, chance(1, of: 12) { return anything(depth: 2) }
        switch schema.shape {
        case .object(let properties):
            var members: [String: JSON] = [:]
            for property in properties where isExact || chance(4, of: 5) { members[property.name] = value(property.schema) }
            if chance(1, of: 4) { members[text()] = anything(depth: 1) }
            return .object(members)
        case .map(let values, _, _):
            var members: [String: JSON] = [:]
            for key in [WellKnown.triggerAnnotation, WellKnown.alertAnnotation, text(), text()] where chance(2, of: 3) {
                members[key] = value(values)
            }
            return .object(members)
        case .array(let items, _, _): return .array((0..<Int.random(in: 0...3, using: &generator)).map { _ in value(items) })
        case .string(let rules): return .string(rules.values?.randomElement(using: &generator) ?? text())
        case .integer: return .integer(Int64.random(in: -2...100_000, using: &generator))
        case .number: return .number(Double.random(in: -10...10, using: &generator))
        case .boolean: return .bool(Bool.random(using: &generator))
        case .either(let schemas): return schemas.randomElement(using: &generator).map { value($0) } ?? .null
        case .anything: return anything(depth: 2)
        }
    }

    private mutating func anything(depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: .null
        case 1: .bool(true)
        case 2: .integer(Int64.random(in: Int64.min...Int64.max, using: &generator))
        case 3, 4: .string(text())
        case 5: .array((0..<Int.random(in: 0...3, using: &generator)).map { _ in anything(depth: depth - 1) })
        default: .object(["type": anything(depth: depth - 1), "status": anything(depth: depth - 1), "x": anything(depth: depth - 1)])
        }
    }

    private mutating func text() -> String { Self.texts.randomElement(using: &generator) ?? "" }

    private mutating func chance(_ count: Int, of all: Int) -> Bool { Int.random(in: 0..<all, using: &generator) < count }
}
