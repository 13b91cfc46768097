import RegularExpressions

/// Finds the triggers whose pattern for one field matches a text, without asking each.
///
/// Anchored literals are looked up by hash. All other distinct patterns form one `PatternSet`; what it says about a text is remembered.
struct FieldIndex: Sendable {
    /// A trigger by its place in the index, with the condition of it that this index answers for.
    struct Entry: Sendable, Hashable {
        let trigger: Int
        let condition: Int
    }

    /// Texts remembered per field.
    static let cachedTextsMax = 4096

    private let exact: [TextKey: [Entry]]
    private let set: PatternSet
    /// For each pattern of the set, who has it.
    private let owners: [[Entry]]
    private let cache = ValueCache<[Entry]>(entriesMax: cachedTextsMax)

    init(_ members: [(entry: Entry, pattern: Pattern)]) {
        var exact: [TextKey: [Entry]] = [:]
        var patterns: [Pattern] = []
        var owners: [[Entry]] = []
        var indices: [TextKey: Int] = [:]
        for (entry, pattern) in members {
            if case .exact(let literal) = pattern.form {
                exact[TextKey(String(decoding: literal, as: UTF8.self)), default: []].append(entry)
            } else if let index = indices[TextKey(pattern.source)] {
                owners[index].append(entry)
            } else {
                indices[TextKey(pattern.source)] = patterns.count
                patterns.append(pattern)
                owners.append([entry])
            }
        }
        self.exact = exact
        self.owners = owners
        set = PatternSet(patterns)
    }

    /// Calls `visit` for each trigger whose pattern for this field matches `text`, in no particular order.
    func forEachMatch(of text: String, _ visit: (Entry) -> Void) {
        if let entries = exact[TextKey(text)] { entries.forEach(visit) }
        guard !owners.isEmpty else { return }
        cache.value(for: text) { set.matches(in: text).flatMap { owners[$0] } }.forEach(visit)
    }
}
