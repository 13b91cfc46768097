import JSONCoding
import Model
import StructuredMerge
import Testing

/// What must hold of any documents. Values follow from their places, so that managers never conflict unless a test makes them.
@Suite struct PropertyTests {
    private static let seeds = Array(UInt64(1)...60)

    @Test(arguments: seeds) func applyingTwiceIsApplyingOnce(seed: UInt64) throws {
        var random = Seeded(seed)
        var history = History()
        for name in ["one", "two", "three"] { try history.apply(Self.spec(&random), by: name) }
        let config = Self.spec(&random)
        try history.apply(config, by: "one")
        let before = history
        try history.apply(config, by: "one")
        #expect(history.object == before.object, "seed \(seed)")
        #expect(history.managed == before.managed, "seed \(seed)")
    }

    @Test(arguments: seeds) func theOrderOfAppliersDoesNotMatter(seed: UInt64) throws {
        var random = Seeded(seed)
        let configs = (0..<3).map { _ in Self.spec(&random) }
        let names = ["one", "two", "three"]
        var results: Set<JSON> = []
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            var history = History()
            for index in order { try history.apply(configs[index], by: names[index]) }
            results.insert(Self.unordered(history.spec))
            let union = configs.reduce(FieldSet()) { $0.union(FieldSet(of: Fixture.object($1), schema: Fixture.schema)) }
            let all = history.managed.entries.values.reduce(FieldSet()) { $0.union($1.fields) }
            #expect(all.paths.allSatisfy(union.contains), "seed \(seed)")
        }
        #expect(results.count == 1, "seed \(seed)")
    }

    /// What an applier said before and does not say now leaves no trace.
    @Test(arguments: seeds) func aFormerConfigurationLeavesNoTrace(seed: UInt64) throws {
        var random = Seeded(seed)
        let (other, former, present) = (Self.spec(&random), Self.spec(&random), Self.spec(&random))
        var changed = History()
        try changed.apply(other, by: "other")
        try changed.apply(former, by: "one")
        try changed.apply(present, by: "one")
        var direct = History()
        try direct.apply(other, by: "other")
        try direct.apply(present, by: "one")
        #expect(Self.unordered(changed.spec) == Self.unordered(direct.spec), "seed \(seed)")
        #expect(changed.applied("one") == direct.applied("one"), "seed \(seed)")
    }

    @Test(arguments: seeds) func everyFieldOfAnUpdaterIsThere(seed: UInt64) throws {
        var random = Seeded(seed)
        var history = History()
        for round in 0..<12 {
            let spec = Self.spec(&random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: try history.apply(spec, by: "a\(round % 3)", force: true)
            default: history.update(by: "u\(round % 5)") { $0["spec"] = spec }
            }
            let present = Self.withAncestors(try #require(history.object))
            for (manager, entry) in history.managed.entries {
                for path in entry.fields.paths { #expect(present.contains(path), "seed \(seed): \(manager) \(path.fieldDescription)") }
                #expect(FieldSet(fieldsV1: entry.fields.fieldsV1) == entry.fields)
            }
        }
    }

    /// All paths of a document: what an empty one does not have.
    private static func withAncestors(_ document: JSON) -> FieldSet { Comparison(from: [:], to: document, schema: Fixture.schema).added }

    private static func spec(_ random: inout Seeded) -> JSON {
        func some(_ names: [String], _ random: inout Seeded) -> [String] { names.filter { _ in Bool.random(using: &random) } }
        var spec: JSON = [:]
        for name in some(["a", "b", "nested", "map", "atomic", "set", "items", "any"], &random) {
            switch name {
            case "nested", "map":
                let members = some(["x", "y"], &random)
                if !members.isEmpty { spec[name] = .object(Dictionary(uniqueKeysWithValues: members.map { ($0, .string("v-\($0)")) })) }
            case "atomic": spec[name] = ["one", "two"]
            case "set":
                let values = some(["p", "q", "r"], &random)
                if !values.isEmpty { spec[name] = .array(values.shuffled(using: &random).map(JSON.string)) }
            case "items":
                let items = some(["k", "l", "m"], &random).map { key -> JSON in
                    var item: JSON = ["name": .string(key)]
                    for member in some(["p", "q"], &random) { item[member] = .string(key + member) }
                    return item
                }
                if !items.isEmpty { spec[name] = .array(items.shuffled(using: &random)) }
            case "any": spec[name] = ["deep": ["x": 1]]
            default: spec[name] = .string("v-\(name)")
            }
        }
        return spec
    }

    private static func unordered(_ json: JSON) -> JSON {
        switch json {
        case .array(let items): .array(items.map(unordered).sorted { "\($0)" < "\($1)" })
        case .object(let members): .object(members.mapValues(unordered))
        default: json
        }
    }
}
