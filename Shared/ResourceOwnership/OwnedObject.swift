public import JSONCoding
public import Model

/// What garbage collection has to know of an object.
public struct OwnedObject: Sendable, Hashable {
    /// How far its deletion has come.
    public enum Deletion: Sendable, Hashable {
        case unrequested
        /// It is held by somebody else's finalizer.
        case requested
        /// It waits until the dependents that block it are gone.
        case foreground
        /// It waits until no dependent names it any more.
        case orphan
    }

    public let plural: String
    /// Empty for a cluster-scoped kind.
    public let namespace: String
    public let name: String
    public let uid: UID
    public let owners: [OwnerReference]
    public let deletion: Deletion

    public init(
        plural: String, namespace: String = "", name: String, uid: UID, owners: [OwnerReference] = [], deletion: Deletion = .unrequested
    ) {
        self.plural = plural
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.owners = owners
        self.deletion = deletion
    }

    /// Reads an object; nil where it has no name or uid. A reference that does not read as one is left out.
    public init?(_ object: JSON, plural: String) {
        guard let metadata = object["metadata"], let name = metadata["name"]?.stringValue, let uid = metadata["uid"]?.stringValue else {
            return nil
        }
        self.init(
            plural: plural, namespace: metadata["namespace"]?.stringValue ?? "", name: name, uid: UID(uid),
            owners: metadata["ownerReferences"]?.arrayValue?.compactMap { OwnerReference($0) } ?? [], deletion: Self.deletion(of: object))
    }

    private static func deletion(of object: JSON) -> Deletion {
        guard object.isBeingDeleted else { return .unrequested }
        let finalizers = object.finalizers
        // With both, what keeps the dependents comes first.
        for propagation in [DeletionPropagation.orphan, .foreground] {
            if let finalizer = propagation.finalizer, finalizers.contains(finalizer) {
                return propagation == .orphan ? .orphan : .foreground
            }
        }
        return .requested
    }

    /// Whether there is anything about it that garbage collection acts on.
    public var isOfInterest: Bool { !owners.isEmpty || deletion != .unrequested }

    /// Whether a foreground deletion of `owner` has to wait for this one.
    public func blocks(_ owner: UID) -> Bool { owners.contains { $0.uid == owner && $0.blockOwnerDeletion == true } }
}

extension OwnerReference {
    /// Reads a reference as it is stored; nil where a part is missing.
    init?(_ json: JSON) {
        guard let apiVersion = json["apiVersion"]?.stringValue, let kind = json["kind"]?.stringValue, let name = json["name"]?.stringValue,
            let uid = json["uid"]?.stringValue
        else { return nil }
        self.init(
            apiVersion: apiVersion, kind: kind, name: name, uid: UID(uid), controller: json["controller"]?.boolValue,
            blockOwnerDeletion: json["blockOwnerDeletion"]?.boolValue)
    }

    /// The group of the owner's kind; empty for a core kind.
    public var group: String {
        apiVersion.lastIndex(of: "/").map { String(apiVersion[..<$0]) } ?? ""
    }
}
