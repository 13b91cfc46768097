import JSONCoding
import Model

extension FieldSet {
    /// The fields that a document has: what its applier owns.
    ///
    /// A member that the schema names counts only where it is a leaf or empty; an entry of a map or an item of a list always does.
    public init(of document: JSON, schema: Schema?) {
        self.init(of: document, schema, depth: 0)
    }

    private init(of value: JSON, _ schema: Schema?, depth: Int) {
        switch Anatomy(value, schema, depth: depth) {
        case .leaf: break
        case .object(let members):
            for (name, member) in members { add(.field(name), member, schema, depth) }
        case .list(let items):
            for item in items { add(item.element, item.value, schema, depth) }
        }
    }

    private mutating func add(_ element: PathElement, _ value: JSON, _ schema: Schema?, _ depth: Int) {
        let inner = schema?.schema(of: element)
        switch Anatomy(value, inner, depth: depth + 1) {
        case .leaf: insert(member: element)
        case .object(let members) where members.isEmpty: insert(member: element)
        default: if !(schema?.names(element) ?? false) { insert(member: element) }
        }
        set(FieldSet(of: value, inner, depth: depth + 1), below: element)
    }

    /// This set with every member that the schema names and below which it has something.
    func withNamedAncestors(_ schema: Schema?) -> FieldSet {
        var result = self
        for (element, set) in children {
            if schema?.names(element) ?? false { result.insert(member: element) }
            result.set(set.withNamedAncestors(schema?.schema(of: element)), below: element)
        }
        return result
    }
}
