import JSONCoding

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
    /// Who set which field; the business of the API alone, carried along as it is.
    public var managedFields: [JSON]?

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
