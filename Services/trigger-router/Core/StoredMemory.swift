import Model

/// What the scheduler is known to have stored, so that a group that is sent again whole costs nothing.
///
/// Bounded; an entry lasts ten minutes at most and never past the trigger's repeat interval, and holds for one store of the scheduler. It
/// only ever spares a question: what is not in here is asked.
public struct StoredMemory: Sendable {
    /// Entries kept at most.
    public static let entriesMaxDefault = 65_536
    /// How long an entry holds at most, in seconds.
    public static let entrySecondsMax = 600.0

    private struct Key: Hashable, Sendable {
        let triggerUID: UID
        let fingerprint: String
    }

    private struct Entry: Sendable {
        let startsAt: Timestamp?
        let storedAt: Timestamp
        let until: Timestamp?
        let diagnosis: DiagnosisReference?
    }

    private var entries: GenerationalCache<Key, Entry>
    private var storeID: String?

    public init(entriesMax: Int = entriesMaxDefault) {
        entries = GenerationalCache(entriesMax: entriesMax)
    }

    /// What the scheduler would answer for an item that it has stored already; nil where it has to be asked.
    public mutating func duplicate(of item: IntakeItem, at now: Timestamp) -> TriggerOutcome? {
        guard item.resolved != true else { return nil }
        let key = Key(triggerUID: item.triggerUID, fingerprint: item.fingerprint)
        guard let entry = entries.value(for: key) else { return nil }
        let age = now.seconds(since: entry.storedAt)
        let isFresh =
            age >= 0 && age < min(Self.entrySecondsMax, Double(item.repeatIntervalSeconds)) && entry.until.map { now < $0 } ?? true
        guard isFresh else {
            entries.remove(key)
            return nil
        }
        // A later start is an alert that resolved and fired again: for the scheduler to judge. An absent start is never later.
        if let startsAt = item.startsAt {
            guard let stored = entry.startsAt, startsAt <= stored else { return nil }
        }
        return TriggerOutcome(
            trigger: item.trigger, outcome: .duplicate, reason: "Known", message: nil, diagnosis: entry.diagnosis, until: entry.until)
    }

    /// The scheduler has this store now. Another one has forgotten everything that was known.
    public mutating func noteStore(_ storeID: String) {
        guard self.storeID != storeID else { return }
        entries.removeAll()
        self.storeID = storeID
    }

    /// Takes note of an answer.
    public mutating func note(_ result: IntakeResult, for item: IntakeItem, storeID: String, at now: Timestamp) {
        noteStore(storeID)
        guard result.outcome == .created || result.outcome == .duplicate else { return }
        let diagnosis = DiagnosisReference(result)
        entries.insert(
            Entry(startsAt: item.startsAt, storedAt: now, until: result.until, diagnosis: diagnosis),
            for: Key(triggerUID: item.triggerUID, fingerprint: item.fingerprint))
    }

    public var count: Int { entries.count }
}
