import JSONCoding
import Model
import ResourceStore
import ServiceKit

/// What may be done to the objects of a kind, in Kubernetes' words.
public enum Verb: String, Sendable, Hashable, CaseIterable {
    case get, list, watch, create, update, patch, delete, deletecollection
}

/// One kind as a process serves it: what it is, where its objects live and what the service has to say about changes.
public struct ServedKind: Sendable {
    /// What a service answers to a change: throws an error of its own choosing, or adds faults and warnings to those already found.
    public typealias Admit = @Sendable (AdmissionRequest) async throws(APIError) -> AdmissionReview

    public var definition: ResourceDefinition
    public var store: any ResourceStore
    /// What callers may do; other verbs are answered 405.
    public var verbs: Set<Verb>
    /// Whether `…/status` can be written through the API. Off where the process itself is the only one to know the status.
    public var isStatusWritable: Bool
    /// Which classes of callers may read and write.
    public var access: KindAccess
    public var admit: Admit
    /// Answers every request instead of the store: the way to a kind that another process owns, which then applies its own rules alone.
    public var owner: Endpoint.Handler?

    /// A kind that another process owns. Its verbs, statuses and access are told as the owner's are, its requests are answered by `owner`.
    public init(
        definition: ResourceDefinition, verbs: Set<Verb> = Set(Verb.allCases), isStatusWritable: Bool = true,
        access: KindAccess = KindAccess(), owner: @escaping Endpoint.Handler
    ) {
        self.init(definition: definition, store: UnownedStore(), verbs: verbs, isStatusWritable: isStatusWritable, access: access)
        self.owner = owner
    }

    public init(
        definition: ResourceDefinition, store: any ResourceStore, verbs: Set<Verb> = Set(Verb.allCases), isStatusWritable: Bool = true,
        access: KindAccess = KindAccess(), admit: @escaping Admit = { _ in AdmissionReview() }
    ) {
        self.definition = definition
        self.store = store
        self.verbs = verbs
        self.isStatusWritable = isStatusWritable
        self.access = access
        self.admit = admit
    }
}

/// Which classes of callers may read and write the objects of a kind.
public struct KindAccess: Sendable {
    public var readers: Set<CallerClass>
    public var writers: Set<CallerClass>

    public init(readers: Set<CallerClass> = [.admin, .service], writers: Set<CallerClass> = [.admin, .service]) {
        self.readers = readers
        self.writers = writers
    }
}

/// A change that passed the envelope checks and the schema, before it is stored.
public struct AdmissionRequest: Sendable {
    public enum Change: Sendable, Hashable {
        case create, update, status, delete
    }

    public let change: Change
    /// The object as it would be stored, pruned and with defaults; for a deletion as it is.
    public let object: JSON
    /// The object as it is stored now; nil for a creation.
    public let old: JSON?
    public let caller: Caller
    /// Nothing will be stored: do not act on it.
    public let isDryRun: Bool

    public init(change: Change, object: JSON, old: JSON?, caller: Caller, isDryRun: Bool) {
        self.change = change
        self.object = object
        self.old = old
        self.caller = caller
        self.isDryRun = isDryRun
    }
}

/// A service's answer to a change.
public struct AdmissionReview: Sendable {
    /// Reported with those that the schema found, all at once, as 422.
    public var faults: [FieldFault]
    /// Sent as `Warning` headers.
    public var warnings: [String]

    public init(faults: [FieldFault] = [], warnings: [String] = []) {
        self.faults = faults
        self.warnings = warnings
    }
}
