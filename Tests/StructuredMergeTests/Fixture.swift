import JSONCoding
import Model
import StructuredMerge

/// A schema with one of everything that ownership tells apart.
enum Fixture {
    static let schema = Schema.object(
        "An object.",
        [
            .required("apiVersion", .string("")), .required("kind", .string("")),
            .required(
                "metadata",
                .object(
                    "",
                    [
                        .optional("name", .string("")), .optional("uid", .string("")), .optional("labels", .textMap("")),
                        .optional("annotations", .textMap("")),
                        .optional("finalizers", .array("", of: .string(""), listType: .set)),
                    ])),
            .optional(
                "spec",
                .object(
                    "",
                    [
                        .optional("a", .string("")), .optional("b", .string("")),
                        .optional("nested", .object("", [.optional("x", .string("")), .optional("y", .string(""))])),
                        .optional("map", .textMap("")), .optional("atomic", .array("", of: .string(""))),
                        .optional("set", .array("", of: .string(""), listType: .set)),
                        .optional(
                            "items",
                            .array(
                                "",
                                of: .object(
                                    "", [.required("name", .string("")), .optional("p", .string("")), .optional("q", .string(""))]),
                                listType: .map(keys: ["name"]))),
                        .optional("any", .anything("")),
                    ])),
            .optional("status", .object("", [.optional("phase", .string(""))])),
        ])

    static let version = "example.org/v1"
    static let ownership = FieldOwnership(schema: schema, apiVersion: version)

    static func object(_ spec: JSON, metadata: JSON = [:]) -> JSON {
        var metadata = metadata
        metadata["name"] = "o"
        return ["apiVersion": .string(version), "kind": "Thing", "metadata": metadata, "spec": spec]
    }

    static func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_800_000_000 + seconds) }

    static func fields(_ managed: ManagedFields, _ name: String, _ operation: ManagedFields.Operation) -> JSON? {
        managed[ManagedFields.Owner(name, operation, apiVersion: version)]?.fields.fieldsV1
    }
}

/// An object on its way through writes.
struct History {
    var object: JSON?
    var managed = ManagedFields()
    var clock: Int64 = 0

    mutating func apply(_ spec: JSON, metadata: JSON = [:], by name: String, force: Bool = false) throws(ApplyConflicts) {
        clock += 1
        let applied = try Fixture.ownership.applied(
            Fixture.object(spec, metadata: metadata), to: object, managed, by: name, isForced: force, at: Fixture.time(clock))
        (object, managed) = (applied.object, applied.managed)
    }

    mutating func update(by name: String, _ change: (inout JSON) -> Void) {
        clock += 1
        var changed = object ?? Fixture.object([:])
        change(&changed)
        managed = Fixture.ownership.updated(from: object, to: changed, managed, by: name, at: Fixture.time(clock))
        object = changed
    }

    var spec: JSON { object?["spec"] ?? [:] }
    func applied(_ name: String) -> JSON? { Fixture.fields(managed, name, .apply)?["f:spec"] }
    func updated(_ name: String) -> JSON? { Fixture.fields(managed, name, .update)?["f:spec"] }
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
