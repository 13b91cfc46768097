/// The metadata of an object, Kubernetes' `ObjectMeta`.
public struct ObjectMeta: Codable, Sendable, Hashable {
    public var name: String
    public var generateName: String?
    /// Nil or empty for cluster-scoped kinds.
    public var namespace: String?
    public var uid: UID?
    /// The store's revision of this version of the object, in decimal; opaque to clients.
    public var resourceVersion: String?
    /// Grows by one with each change of `spec`.
    public var generation: Int64?
    public var creationTimestamp: Timestamp?
    public var deletionTimestamp: Timestamp?
    public var deletionGracePeriodSeconds: Int64?
    public var labels: [String: String]?
    public var annotations: [String: String]?
    public var ownerReferences: [OwnerReference]?
    public var finalizers: [String]?

    public init(name: String, namespace: String? = nil, labels: [String: String]? = nil, annotations: [String: String]? = nil) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
    }
}

/// A pointer to the object that an object goes with when it is deleted.
public struct OwnerReference: Codable, Sendable, Hashable {
    public var apiVersion: String
    public var kind: String
    public var name: String
    public var uid: UID
    public var controller: Bool?
    public var blockOwnerDeletion: Bool?

    public init(apiVersion: String, kind: String, name: String, uid: UID, controller: Bool? = nil, blockOwnerDeletion: Bool? = nil) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }
}

/// One aspect of an object's state, Kubernetes' `Condition`.
public struct Condition: Codable, Sendable, Hashable {
    public enum Status: String, Codable, Sendable {
        case `true` = "True"
        case `false` = "False"
        case unknown = "Unknown"
    }

    public var type: String
    public var status: Status
    /// One CamelCase word.
    public var reason: String?
    public var message: String?
    public var lastTransitionTime: Timestamp?
    public var observedGeneration: Int64?

    public init(
        type: String, status: Status, reason: String? = nil, message: String? = nil, lastTransitionTime: Timestamp? = nil,
        observedGeneration: Int64? = nil
    ) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastTransitionTime = lastTransitionTime
        self.observedGeneration = observedGeneration
    }
}

extension [Condition] {
    public subscript(type: String) -> Condition? {
        first { $0.type == type }
    }

    /// Puts `condition` in the place of the one of its type; the transition time moves only when the status changes.
    public mutating func set(_ condition: Condition, at now: Timestamp) {
        var condition = condition
        guard let index = firstIndex(where: { $0.type == condition.type }) else {
            condition.lastTransitionTime = now
            append(condition)
            return
        }
        condition.lastTransitionTime = self[index].status == condition.status ? self[index].lastTransitionTime ?? now : now
        self[index] = condition
    }
}

extension ObjectMeta {
    static let schema = Schema.object(
        "Standard object metadata.",
        [
            .optional(
                "name",
                Schema(
                    .string(StringRules(bytesMax: 253, fault: { Names.subdomainFault($0) })),
                    "Name, unique within the kind (and namespace).")),
            .optional("generateName", .string("Prefix from which the server makes a name when there is none.", max: 248)),
            .optional(
                "namespace",
                Schema(.string(StringRules(bytesMax: 63, fault: { $0.isEmpty ? nil : Names.labelFault($0) })), "Namespace of the object.")),
            .optional("uid", .string("Unique id, set by the server.", max: 128)),
            .optional("resourceVersion", .string("Version of the object, set by the server; opaque.", max: 64)),
            .optional("generation", .integer("Number of changes of spec, set by the server.", 0...Int64.max)),
            .optional("creationTimestamp", .time("When the object was created, set by the server.")),
            .optional("deletionTimestamp", .time("When deletion was asked for, set by the server.")),
            .optional("deletionGracePeriodSeconds", .integer("Unused; kept for compatibility.")),
            .optional("selfLink", .string("Unused; kept for compatibility.")),
            .optional("clusterName", .string("Unused; kept for compatibility.")),
            .optional(
                "labels",
                Schema(
                    .map(
                        values: Schema(.string(StringRules(bytesMax: 63, fault: { Names.labelValueFault($0) })), "A label value."),
                        entriesMax: 128,
                        keyFault: { Names.labelKeyFault($0) }), "Labels to select by.")),
            .optional(
                "annotations",
                .textMap("Free text beside the object.", entriesMax: 256, valueBytesMax: 262_144, keyFault: { Names.labelKeyFault($0) })),
            .optional("ownerReferences", .array("Objects that this one goes with.", of: OwnerReference.schema, max: 16)),
            .optional(
                "finalizers",
                .array(
                    "Names of those who must agree before the object goes.",
                    of: Schema(.string(StringRules(bytesMin: 1, bytesMax: 253, fault: { Names.labelKeyFault($0) })), "A finalizer's name."),
                    max: 16)),
            .optional("managedFields", .anything("Which client set which field, set by the server.")),
        ])
}

extension OwnerReference {
    static let schema = Schema.object(
        "A pointer to an owner.",
        [
            .required("apiVersion", .string("API version of the owner.", max: 253)),
            .required("kind", .string("Kind of the owner.", max: 63)),
            .required("name", .string("Name of the owner.", max: 253)),
            .required("uid", .string("Uid of the owner.", max: 128)),
            .optional("controller", .boolean("Whether the owner manages this object.")),
            .optional("blockOwnerDeletion", .boolean("Whether foreground deletion of the owner waits for this object.")),
        ])
}

extension Condition {
    static let schema = Schema.object(
        "One aspect of the object's state.",
        [
            .required("type", .string("Name of the condition.", max: 316)),
            .required("status", .choice("Whether it holds.", ["True", "False", "Unknown"])),
            .optional("reason", .string("One CamelCase word.", max: 1024)),
            .optional("message", .string("A sentence for a person.", max: 32_768)),
            .optional("lastTransitionTime", .time("When the status last changed.")),
            .optional("observedGeneration", .integer("The generation that it was judged at.", 0...Int64.max)),
        ])

    static let listSchema = Schema.array("Conditions of the object.", of: schema, max: 32)
}
