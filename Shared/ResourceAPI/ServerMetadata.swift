import JSONCoding
import Model

/// The members of `metadata` that belong to the server: whatever a client sends in their place is replaced.
enum ServerMetadata {
    /// Members that we never keep.
    private static let dropped = ["resourceVersion", "selfLink", "clusterName"]
    /// Members that stay as they were from creation on.
    private static let constant = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName"]

    /// Gives a new object its name (where it only has a prefix), uid, creation time and first generation, and takes away its status.
    static func stamp(new envelope: inout Envelope, of definition: ResourceDefinition, now: Timestamp) throws(APIError) {
        guard try envelope.revision() == nil else { throw .badRequest("resourceVersion should not be set on objects to be created") }
        if envelope.metadata["name"]?.stringValue ?? "" == "", let prefix = envelope.metadata["generateName"]?.stringValue, !prefix.isEmpty
        {
            envelope.metadata["name"] = .string(NameGenerator.name(prefix: prefix))
        }
        for member in dropped + ["deletionTimestamp", "deletionGracePeriodSeconds"] { envelope.metadata[member] = nil }
        envelope.metadata["uid"] = .string(UID.random().rawValue)
        envelope.metadata["creationTimestamp"] = .string(now.wholeSeconds.description)
        envelope.metadata["generation"] = definition.hasSpec ? 1 : nil
        if definition.hasStatus { envelope.members["status"] = nil }
    }

    /// Carries over from `old` what a client cannot change, the status included.
    static func carry(from old: JSON, of definition: ResourceDefinition, into envelope: inout Envelope) {
        for member in dropped { envelope.metadata[member] = nil }
        for member in constant + ["generation"] { envelope.metadata[member] = old["metadata"]?[member] }
        if definition.hasStatus { envelope.members["status"] = old["status"] }
    }

    /// The next generation where `spec` differs.
    static func advanceGeneration(_ object: inout JSON, from old: JSON) {
        guard object["spec"] != old["spec"] else { return }
        object["metadata"]?["generation"] = .integer((old[path: "metadata", "generation"]?.integerValue ?? 0) + 1)
    }
}
