import JSONCoding
import Model
import ResourceStore
import ServiceKit

/// Writes notes as events: a new one, or a count more of the one that says the same.
struct EventWriter: Sendable {
    /// How often a write is tried at once that another one came before.
    static let racesMax = 4

    let component: String
    let store: any ResourceStore

    func write(_ entry: NoteQueue.Entry) async throws(StoreError) {
        let key = ObjectKey(plural: Event.names.plural, namespace: entry.note.namespace, name: entry.note.name(from: component))
        for attempt in 1...Self.racesMax {
            do throws(StoreError) {
                do throws(StoreError) {
                    _ = try await store.create(try encoded(event(of: entry, key)))
                } catch StoreError.alreadyExists {
                    guard let former = try await store.get(key) else { throw .notFound(key, write: 0) }
                    _ = try await store.update(try repeated(former, entry), ifRevision: former.revision)
                }
                return
            } catch {
                guard error.isRace, attempt < Self.racesMax else { throw error }
            }
        }
    }

    private func event(of entry: NoteQueue.Entry, _ key: ObjectKey) -> Event {
        var metadata = ObjectMeta(name: key.name, namespace: key.namespace)
        metadata.uid = UID.random()
        metadata.creationTimestamp = WallClock.now().wholeSeconds
        var event = Event(metadata: metadata, about: entry.note.object)
        event.type = entry.note.type
        event.reason = entry.note.reason
        event.message = entry.note.message
        event.source = EventSource(component: component)
        event.reportingComponent = component
        event.count = entry.count
        event.firstTimestamp = entry.first.wholeSeconds
        event.lastTimestamp = entry.last.wholeSeconds
        return event
    }

    private func encoded(_ event: Event) throws(StoreError) -> EncodedObject {
        do {
            return try EncodedObject(try JSON(encoding: event), definition: Event.definition)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .invalid("the event can't be encoded: \(error)")
        }
    }

    /// The stored event with the further times; what others wrote of it stays.
    private func repeated(_ former: StoredObject, _ entry: NoteQueue.Entry) throws(StoreError) -> EncodedObject {
        let event: Event = try former.decode()
        var json = try former.json()
        json["message"] = .string(entry.note.message)
        json["count"] = .integer(min(Int64(Int32.max), (event.count ?? 1) + entry.count))
        json["lastTimestamp"] = .string(max(entry.last.wholeSeconds, event.lastTimestamp ?? entry.last.wholeSeconds).description)
        return try EncodedObject(json, definition: Event.definition)
    }
}

extension StoreError {
    /// Whether another write came between the reading and the writing.
    fileprivate var isRace: Bool {
        switch self {
        case .conflict, .alreadyExists, .notFound: true
        default: false
        }
    }
}
