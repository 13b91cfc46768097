public import JSONCoding
public import Model

/// What Kubernetes asks of an object's owners and finalizers beyond their shape.
public enum OwnershipRules {
    public static func faults(_ object: JSON) -> [FieldFault] {
        var faults: [FieldFault] = []
        let controllers = object[path: "metadata", "ownerReferences"]?.arrayValue?.filter { $0["controller"]?.boolValue == true } ?? []
        if controllers.count > 1 {
            let names = controllers.compactMap { $0["name"]?.stringValue }.joined(separator: " and ")
            faults.append(
                FieldFault(
                    "metadata.ownerReferences", .invalid,
                    "Only one reference can have Controller set to true. Found \"true\" in references for \(names)"))
        }
        if DeletionPropagation.finalizers.isSubset(of: object.finalizers) {
            faults.append(
                FieldFault("metadata.finalizers", .invalid, "finalizers must not hold both foregroundDeletion and orphan"))
        }
        return faults
    }
}

extension JSON {
    /// The object without these owners.
    public func releasing(_ owners: Set<UID>) -> JSON {
        var object = self
        let left = self[path: "metadata", "ownerReferences"]?.arrayValue?.filter { reference in
            !owners.contains { $0.rawValue == reference["uid"]?.stringValue }
        }
        object["metadata"]?["ownerReferences"] = left.flatMap { $0.isEmpty ? nil : .array($0) }
        return object
    }

    /// The object with no owner waiting for it.
    public var unblocking: JSON {
        var object = self
        guard let references = self[path: "metadata", "ownerReferences"]?.arrayValue else { return self }
        object["metadata"]?["ownerReferences"] = .array(
            references.map { reference in
                var reference = reference
                if reference["blockOwnerDeletion"]?.boolValue == true { reference["blockOwnerDeletion"] = false }
                return reference
            })
        return object
    }
}
