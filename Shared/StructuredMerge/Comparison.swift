import JSONCoding
import Model

/// What is different between two versions of a document, field by field.
public struct Comparison: Sendable, Hashable {
    public private(set) var added = FieldSet()
    public private(set) var modified = FieldSet()
    public private(set) var removed = FieldSet()

    public init(from old: JSON?, to new: JSON?, schema: Schema?) {
        self.init(old, new, schema, depth: 0)
    }

    private init() {}

    private init(_ old: JSON?, _ new: JSON?, _ schema: Schema?, depth: Int) {
        let (left, right) = (old.map { Anatomy($0, schema, depth: depth) }, new.map { Anatomy($0, schema, depth: depth) })
        switch (left, right) {
        case (.object(let before)?, .object(let after)?):
            for (name, value) in before { compare(.field(name), value, after[name], schema, depth) }
            for (name, value) in after where before[name] == nil { compare(.field(name), nil, value, schema, depth) }
        case (.list(let before)?, .list(let after)?):
            let values = Dictionary(after.map { ($0.element, $0.value) }, uniquingKeysWith: { first, _ in first })
            let known = Set(before.map(\.element))
            for item in before { compare(item.element, item.value, values[item.element], schema, depth) }
            for item in after where !known.contains(item.element) { compare(item.element, nil, item.value, schema, depth) }
        default:
            // One is missing, or they are of different kinds: all below the one goes, all below the other comes.
            for (element, value) in Self.parts(left) { compare(element, value, nil, schema, depth) }
            for (element, value) in Self.parts(right) { compare(element, nil, value, schema, depth) }
        }
    }

    private static func parts(_ anatomy: Anatomy?) -> [(PathElement, JSON)] {
        switch anatomy {
        case nil, .leaf?: []
        case .object(let members)?: members.map { (.field($0.key), $0.value) }
        case .list(let items)?: items.map { ($0.element, $0.value) }
        }
    }

    private mutating func compare(_ element: PathElement, _ old: JSON?, _ new: JSON?, _ schema: Schema?, _ depth: Int) {
        if old == new { return }
        let inner = schema?.schema(of: element)
        switch (old, new) {
        case (nil, _): added.insert(member: element)
        case (_, nil): removed.insert(member: element)
        case (let old?, let new?) where !Self.isSameKind(old, new, inner, depth + 1): modified.insert(member: element)
        default: break
        }
        let below = Comparison(old, new, inner, depth: depth + 1)
        added.set(added.below(element).union(below.added), below: element)
        modified.set(modified.below(element).union(below.modified), below: element)
        removed.set(removed.below(element).union(below.removed), below: element)
    }

    /// Whether both are taken apart, so that a difference is one of what is below them. An empty one beside a full one is.
    private static func isSameKind(_ old: JSON, _ new: JSON, _ schema: Schema?, _ depth: Int) -> Bool {
        switch (Anatomy(old, schema, depth: depth), Anatomy(new, schema, depth: depth)) {
        case (.object, .object), (.list, .list): true
        default: false
        }
    }
}
