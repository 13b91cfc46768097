import JSONCoding
import Model
import ResourceAPI
import StructuredMerge

extension FuzzTarget {
    /// A body that is created, and others that two managers apply by turns. Whatever is applied is there afterwards, applying it again
    /// changes nothing and meets no conflict, and the owners read back as they were written.
    static let apply = FuzzTarget(
        "apply", bytesMax: 8192, words: [Sections.separator, "metadata", "labels", "annotations", "spec", "finalizers", "null", "{}", "[]"]
    ) { input in
        let parts = Sections(input)
        guard let body = try await refusable({ try RequestBody(parts[0]) }) else { return }
        let served = ServedObject(of: body.json)
        guard var object = try await refusable({ try await served.create(body) })?.object else { return }
        for index in 1..<min(parts.count, 5) {
            guard let config = try await refusable({ try RequestBody(yaml: parts[index]) }) else { continue }
            let manager = index.isMultiple(of: 2) ? "even" : "odd"
            let address = served.address(of: object)
            let old = object
            let isForced = index > 1
            guard
                let admitted = try await refusable({
                    try await served.admission(by: manager, force: isForced).apply(config, at: address, isStatus: false, onto: old)
                })
            else { continue }
            try served.check(admitted)
            object = admitted.object
            let managed = try owners(object)
            let again = try await served.admission(by: manager).apply(config, at: address, isStatus: false, onto: object)
            try expect(again.object == object, "applied again it makes another object: \(object) \(again.object)")
            try checkSets(managed)
        }
    }

    private static func owners(_ object: JSON) throws -> ManagedFields {
        let json = object[path: "metadata", "managedFields"]
        guard let managed = ManagedFields(json: json) else {
            throw FuzzFinding(description: "the owners do not read back: \(String(describing: json))")
        }
        try expect(managed.isEmpty ? json == nil : managed.json == json, "the owners read back as others: \(managed.json)")
        return managed
    }

    /// The laws of sets.
    private static func checkSets(_ managed: ManagedFields) throws {
        let sets = managed.entries.sorted { $0.key < $1.key }.map(\.value.fields)
        for (left, right) in zip(sets, sets.dropFirst()) {
            let union = left.union(right)
            try expect(union == right.union(left), "the union depends on the order")
            try expect(left.intersection(right) == left.subtracting(left.subtracting(right)), "the intersection is not what both have")
            try expect(union.count == left.count + right.count - left.intersection(right).count, "the union has \(union.count) fields")
            try expect(union.paths.allSatisfy { left.contains($0) || right.contains($0) }, "the union has what neither has")
        }
        for set in sets {
            try expect(FieldSet(fieldsV1: set.fieldsV1) == set, "a set reads back as another: \(set.fieldsV1)")
            try expect(FieldSet(set.paths) == set && set.paths.count == set.count, "a set is not its paths: \(set.fieldsV1)")
        }
    }
}
