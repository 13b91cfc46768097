/// Values by key, of which those that were not used for long are forgotten.
struct RecentMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let keysMax: Int
    private var recent: [Key: Value] = [:]
    private var former: [Key: Value] = [:]

    /// - Parameter keysMax: as many are kept at least, and twice as many at most.
    init(keysMax: Int) { self.keysMax = keysMax }

    subscript(key: Key) -> Value? {
        get { recent[key] ?? former[key] }
        set {
            if recent[key] == nil, recent.count >= keysMax {
                former = recent
                recent = [:]
            }
            recent[key] = newValue
        }
    }
}
