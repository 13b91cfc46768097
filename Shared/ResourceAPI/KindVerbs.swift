import JSONCoding
import Model
import ResourceStore
import ServiceKit

/// What can be done to the objects of one kind, apart from how HTTP spells it.
struct KindVerbs: Sendable {
    let kind: ServedKind
    let clock: @Sendable () -> Timestamp
    private let plural: String

    /// How often a write whose sender named no revision is tried again when another one got in between.
    static let attemptsMax = 32

    init(kind: ServedKind, clock: @escaping @Sendable () -> Timestamp) {
        self.kind = kind
        self.clock = clock
        plural = kind.definition.plural
    }

    var definition: ResourceDefinition { kind.definition }
    var store: any ResourceStore { kind.store }

    func key(_ address: ObjectAddress) -> ObjectKey {
        ObjectKey(plural: plural, namespace: address.namespace, name: address.name ?? "")
    }

    func get(_ address: ObjectAddress) async throws(APIError) -> StoredObject {
        let key = key(address)
        let object = try await mapped { () async throws(StoreError) in try await store.get(key) }
        guard let object else { throw .notFound(definition, key.name) }
        return object
    }

    /// The object if the store has it in memory.
    func cached(_ address: ObjectAddress) -> StoredObject? { store.cached(key(address)) }

    /// Runs `body` with the store's errors told as the API tells them.
    func mapped<T: Sendable>(_ body: () async throws(StoreError) -> T) async throws(APIError) -> T {
        do throws(StoreError) { return try await body() } catch { throw APIError(error, definition) }
    }

    func document(_ object: StoredObject) throws(APIError) -> JSON {
        do throws(StoreError) { return try object.json() } catch { throw APIError(error, definition) }
    }

    func encode(_ object: JSON) throws(APIError) -> EncodedObject {
        do throws(StoreError) { return try EncodedObject(object, definition: definition) } catch { throw APIError(error, definition) }
    }

    func admission(_ options: WriteOptions, _ caller: Caller) -> ObjectAdmission {
        ObjectAdmission(kind: kind, options: options, caller: caller, now: clock())
    }
}

/// What a write did: the object as JSON text, and what the client should be warned of.
struct WriteOutcome: Sendable {
    var bytes: [UInt8]
    var warnings: [String]
    /// Whether there was no such object before.
    var isCreated = false
}
