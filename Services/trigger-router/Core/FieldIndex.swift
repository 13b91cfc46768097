import RegularExpressions

/// Finds the triggers whose pattern for one field matches a text, without asking each.
///
/// Anchored literals are looked up by hash. Plain ones are searched for one by one, which a search for bytes does faster than an automaton.
/// All other distinct patterns form one `PatternSet`. What the latter two say about a text is remembered.
struct FieldIndex: Sendable {
    /// A trigger by its place in the index, with the condition of it that this index answers for.
    struct Entry: Sendable, Hashable {
        let trigger: Int
        let condition: Int
    }

    /// Texts remembered per field: more than the distinct values of a label in one large webhook.
    static let cachedTextsMax = 16_384

    private let exact: [TextKey: [Entry]]
    private let literals: [Shared]
    private let set: PatternSet
    /// For each pattern of the set, who has it.
    private let owners: [[Entry]]
    private let cache = ValueCache<[Entry]>(entriesMax: cachedTextsMax)

    /// A pattern and who has it.
    private struct Shared: Sendable {
        let pattern: Pattern
        var owners: [Entry]
    }

    init(_ members: [(entry: Entry, pattern: Pattern)]) {
        var exact: [TextKey: [Entry]] = [:]
        var others: [Shared] = []
        var places: [TextKey: Int] = [:]
        for (entry, pattern) in members {
            if case .exact(let literal) = pattern.form {
                exact[TextKey(String(decoding: literal, as: UTF8.self)), default: []].append(entry)
            } else if let place = places[TextKey(pattern.source)] {
                others[place].owners.append(entry)
            } else {
                places[TextKey(pattern.source)] = others.count
                others.append(Shared(pattern: pattern, owners: [entry]))
            }
        }
        self.exact = exact
        literals = others.filter { $0.pattern.form != .expression }
        let expressions = others.filter { $0.pattern.form == .expression }
        owners = expressions.map(\.owners)
        set = PatternSet(expressions.map(\.pattern))
    }

    /// Calls `visit` for each trigger whose pattern for this field matches `text`, in no particular order.
    func forEachMatch(of text: String, _ visit: (Entry) -> Void) {
        if let entries = exact[TextKey(text)] { entries.forEach(visit) }
        guard !owners.isEmpty || !literals.isEmpty else { return }
        cache.value(for: text) { search(text) }.forEach(visit)
    }

    private func search(_ text: String) -> [Entry] {
        literals.flatMap { $0.pattern.matches(text) ? $0.owners : [] } + set.matches(in: text).flatMap { owners[$0] }
    }
}
