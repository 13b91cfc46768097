import Model

/// The triggers as they are now: a compiled index, and on top of it what changed since.
///
/// A value: whoever matches takes a copy, so a request sees one state of all triggers. Changes carry the revision of the write, so that they
/// may come in any order and more than once.
public struct TriggerCatalog: Sendable {
    private enum Change: Sendable {
        case present(CompiledTrigger)
        case absent
    }

    private var index: TriggerIndex
    /// By name; what is in here hides what the index says of that name.
    private var overlay: [String: Change] = [:]
    private var revisions: [String: Int64]
    /// Of deleted triggers, so that late news of one does not bring it back.
    private var deletions: [String: Int64] = [:]

    /// Deletions remembered beyond a compilation at most; when there are more, the newer half of that stays.
    public static let deletionsMax = 4096

    /// Starts from all triggers with the revisions of their last writes.
    public init(_ triggers: [(trigger: CompiledTrigger, revision: Int64)] = []) {
        index = TriggerIndex(triggers.lazy.map(\.trigger))
        revisions = Dictionary(triggers.lazy.map { ($0.trigger.name, $0.revision) }, uniquingKeysWith: max)
    }

    /// A trigger was created or changed. Older news than what is known are ignored.
    public mutating func put(_ trigger: CompiledTrigger, revision: Int64) {
        guard isNews(trigger.name, revision) else { return }
        deletions[trigger.name] = nil
        revisions[trigger.name] = revision
        overlay[trigger.name] = .present(trigger)
    }

    /// A trigger was deleted, at that revision or in the state that it had at it. Older news than what is known are ignored.
    public mutating func remove(_ name: String, revision: Int64) {
        guard isNews(name, revision) || revisions[name] == revision else { return }
        revisions[name] = nil
        deletions[name] = revision
        overlay[name] = .absent
    }

    /// A trigger was deleted in the state that is known of it.
    public mutating func remove(_ name: String) {
        if let revision = revisions[name] { remove(name, revision: revision) }
    }

    /// Takes over what another catalog knows that is newer than `revision`: the news that came while a list of that revision was on its way.
    public mutating func takeOver(_ other: TriggerCatalog, newerThan revision: Int64) {
        for (name, known) in other.revisions where known > revision {
            if let trigger = other[name] { put(trigger, revision: known) }
        }
        for (name, known) in other.deletions where known > revision { remove(name, revision: known) }
    }

    /// A trigger was written without a change of what it matches and starts, such as its status: only its revision is noted.
    public mutating func touch(_ name: String, revision: Int64) {
        if let known = revisions[name], revision > known { revisions[name] = revision }
    }

    private func isNews(_ name: String, _ revision: Int64) -> Bool {
        revision > revisions[name] ?? deletions[name] ?? Int64.min
    }

    /// How many triggers are matched one by one, or hidden, because the index does not know of them yet.
    public var overlayCount: Int { overlay.count }

    public subscript(name: String) -> CompiledTrigger? {
        switch overlay[name] {
        case .present(let trigger)?: trigger
        case .absent?: nil
        case nil: index[name]
        }
    }

    /// How many triggers there are; one that was changed may count twice.
    public var count: Int { index.triggers.count + overlay.count }

    /// How many triggers are held against alerts of that origin.
    public func listeningCount(to origin: Alert.Origin) -> Int {
        var count = index.listening[origin] ?? 0
        for (name, change) in overlay {
            if index[name]?.listens(to: origin) == true { count -= 1 }
            if case .present(let trigger) = change, trigger.listens(to: origin) { count += 1 }
        }
        return count
    }

    /// All triggers, by name.
    public var triggers: [CompiledTrigger] {
        guard !overlay.isEmpty else { return index.triggers }
        return (index.triggers.filter { overlay[$0.name] == nil } + changed).sorted { $0.name < $1.name }
    }

    private var changed: [CompiledTrigger] {
        overlay.values.compactMap { if case .present(let trigger) = $0 { trigger } else { nil } }
    }

    /// The triggers that match, by name.
    public func matches(for alert: Alert) -> [CompiledTrigger] {
        let indexed = index.matches(for: alert)
        guard !overlay.isEmpty else { return indexed }
        let added = changed.filter { $0.matches(alert) }
        return (indexed.filter { overlay[$0.name] == nil } + added).sorted { $0.name < $1.name }
    }

    /// A new index over all triggers: heavy, to be made without holding anything up.
    public func recompiled() -> Recompilation {
        var known: [String: Int64] = [:]
        for name in overlay.keys { known[name] = revisions[name] ?? deletions[name] }
        return Recompilation(index: TriggerIndex(triggers), known: known)
    }

    /// What `recompiled` made, and which changes it knew.
    public struct Recompilation: Sendable {
        fileprivate let index: TriggerIndex
        fileprivate let known: [String: Int64]
    }

    /// Takes a new index; changes that it does not know stay on top of it.
    public mutating func adopt(_ recompilation: Recompilation) {
        index = recompilation.index
        for (name, revision) in recompilation.known where (revisions[name] ?? deletions[name]) == revision { overlay[name] = nil }
        guard deletions.count > Self.deletionsMax else { return }
        let settled = deletions.filter { overlay[$0.key] == nil }.sorted { $0.value < $1.value }
        for old in settled.dropLast(Self.deletionsMax / 2) { deletions[old.key] = nil }
    }
}
