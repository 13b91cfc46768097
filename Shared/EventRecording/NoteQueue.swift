import Model

/// The notes that wait to be written, those that say the same as one, in the order in which they first came.
struct NoteQueue: Sendable {
    /// A note with how often and when it came.
    struct Entry: Sendable, Hashable {
        var note: EventNote
        var count: Int64
        let first: Timestamp
        var last: Timestamp
    }

    enum Answer: Sendable, Hashable {
        case taken
        /// The object has had too many.
        case spam
        case full
    }

    /// What is remembered of objects and subjects, each.
    private static let rememberedMax = 4096

    private let entriesMax: Int
    private var filter = SpamFilter(objectsMax: rememberedMax)
    private var similar = SimilarNotes(subjectsMax: rememberedMax)
    private var entries: [EventNote.Topic: Entry] = [:]
    private var order: [EventNote.Topic] = []
    private var next = 0

    init(entriesMax: Int) { self.entriesMax = entriesMax }

    var count: Int { entries.count }

    mutating func add(_ note: EventNote, at now: Timestamp) -> Answer {
        let note = similar.combined(note, at: now)
        let topic = note.topic
        if entries[topic] != nil {
            // No write more, so that it is not held against the object.
            entries[topic]?.count += 1
            entries[topic]?.last = now
            entries[topic]?.note = note
            return .taken
        }
        guard entries.count < entriesMax else { return .full }
        guard filter.admits(note.object, at: now) else { return .spam }
        entries[topic] = Entry(note: note, count: 1, first: now, last: now)
        order.append(topic)
        return .taken
    }

    /// The note that waits longest.
    mutating func pop() -> Entry? {
        guard next < order.count else { return nil }
        let entry = entries.removeValue(forKey: order[next])
        next += 1
        if next == order.count || next >= 1024 {
            order.removeFirst(next)
            next = 0
        }
        return entry
    }
}
