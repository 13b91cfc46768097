import Model

/// Makes one event of many that differ in their messages alone, as client-go's `EventAggregator` does.
struct SimilarNotes: Sendable {
    /// Different messages that are told one by one, and the seconds without any after which it begins anew.
    static let (messagesMax, quietSecondsMax) = (10, 600.0)

    private struct Subject: Hashable {
        let object: ObjectReference
        let type: EventType
        let reason: String
    }

    private struct Told {
        var messages: Set<String> = []
        var lastAt: Timestamp
    }

    private var told: RecentMap<Subject, Told>

    init(subjectsMax: Int) { told = RecentMap(keysMax: subjectsMax) }

    /// The note as it is to be told.
    mutating func combined(_ note: EventNote, at now: Timestamp) -> EventNote {
        let subject = Subject(object: note.object, type: note.type, reason: note.reason)
        var known = told[subject] ?? Told(lastAt: now)
        if now.seconds(since: known.lastAt) > Self.quietSecondsMax { known.messages = [] }
        known.lastAt = now
        let isKnown = known.messages.contains(note.message)
        if !isKnown, known.messages.count < Self.messagesMax { known.messages.insert(note.message) }
        told[subject] = known
        return isKnown || known.messages.contains(note.message) ? note : note.combinedWithSimilar
    }
}
