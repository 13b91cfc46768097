import Synchronization

/// A bounded memory of what was found out about texts, for many threads.
final class ValueCache<Value: Sendable>: Sendable {
    /// Texts that are longer are not remembered: they would make the memory's size depend on the senders.
    static var textBytesMax: Int { 256 }

    private let entries: Mutex<GenerationalCache<TextKey, Value>>

    init(entriesMax: Int) {
        entries = Mutex(GenerationalCache(entriesMax: entriesMax))
    }

    /// What is remembered of `text`, or else what `find` says. Two threads may find the same at once; both find the same.
    func value(for text: String, find: () -> Value) -> Value {
        guard text.utf8.count <= Self.textBytesMax else { return find() }
        let key = TextKey(text)
        if let known = entries.withLock({ $0.value(for: key) }) { return known }
        let found = find()
        entries.withLock { $0.insert(found, for: key) }
        return found
    }
}
