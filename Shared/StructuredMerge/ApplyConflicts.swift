import Model

/// Fields that an apply would change and that others own.
public struct ApplyConflicts: Error, Sendable, Hashable {
    public struct Conflict: Sendable, Hashable {
        public var manager: ManagedFields.Owner
        public var path: FieldPath
    }

    /// By manager, then by path; at least one.
    public private(set) var conflicts: [Conflict]

    private init?(_ conflicts: [Conflict]) {
        if conflicts.isEmpty { return nil }
        self.conflicts = conflicts
    }

    init?(over changed: FieldSet, with managed: ManagedFields, of applier: ManagedFields.Owner) {
        self.init(
            managed.entries.filter { $0.key != applier }.sorted { $0.key < $1.key }.flatMap { manager, entry in
                entry.fields.intersection(changed).paths.map { Conflict(manager: manager, path: $0) }
            })
    }

    /// Those that are not about one of `fields`; nil when none is left.
    func removing(_ fields: FieldSet) -> ApplyConflicts? {
        ApplyConflicts(conflicts.filter { !fields.contains($0.path) })
    }

    /// In kube-apiserver's words, with the field's path in each cause.
    public var causes: [FieldFault] {
        conflicts.map { FieldFault($0.path.fieldDescription, .managerConflict, "conflict with \(Self.describe($0.manager))") }
    }

    /// `Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.x`, or a list.
    public var message: String {
        if conflicts.count == 1 {
            return
                "Apply failed with 1 conflict: conflict with \(Self.describe(conflicts[0].manager)): \(conflicts[0].path.fieldDescription)"
        }
        var lines: [String] = []
        var last: ManagedFields.Owner?
        for conflict in conflicts {
            if conflict.manager != last { lines.append("conflicts with \(Self.describe(conflict.manager)):") }
            last = conflict.manager
            lines.append("- \(conflict.path.fieldDescription)")
        }
        return "Apply failed with \(conflicts.count) conflicts: " + lines.joined(separator: "\n")
    }

    private static func describe(_ manager: ManagedFields.Owner) -> String {
        let subresource = manager.subresource.isEmpty ? "" : " with subresource \"\(manager.subresource)\""
        let version = manager.operation == .update ? " using \(manager.apiVersion)" : ""
        return "\"\(manager.name)\"\(subresource)\(version)"
    }
}
