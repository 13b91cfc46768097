import JSONCoding
import Model

/// How a value is taken apart for ownership, under its schema: objects and maps by member, lists only where the schema says how their items
/// are told apart; all else is owned as a whole.
///
/// No schema (nil) means that nothing is known of the value: its objects are taken apart, its arrays are not.
enum Anatomy {
    case leaf
    case object([String: JSON])
    case list([Item])

    struct Item {
        var element: PathElement
        var value: JSON
    }

    init(_ value: JSON, _ schema: Schema?, depth: Int) {
        guard depth < FieldSet.depthMax else {
            self = .leaf
            return
        }
        switch value {
        case .object(let members): self = .object(members)
        case .array(let values): self = Self.items(values, schema?.listType).map { .list($0) } ?? .leaf
        default: self = .leaf
        }
    }

    /// Nil where the list is a whole: by its schema, or because an item lacks a key or two have the same.
    private static func items(_ values: [JSON], _ type: ListType?) -> [Item]? {
        guard let type else { return nil }
        var items: [Item] = []
        var seen: Set<PathElement> = []
        for value in values {
            guard let element = element(of: value, type), seen.insert(element).inserted else { return nil }
            items.append(Item(element: element, value: value))
        }
        return items
    }

    private static func element(of value: JSON, _ type: ListType) -> PathElement? {
        switch (type, value) {
        case (.set, .array), (.set, .object), (.set, .null): return nil
        case (.set, _): return .value(value)
        case (.map(let keys), .object(let members)):
            var key: [String: JSON] = [:]
            for name in keys { key[name] = members[name] }
            return key.count == keys.count ? .key(key) : nil
        case (.map, _): return nil
        }
    }

    var isEmpty: Bool {
        switch self {
        case .leaf: false
        case .object(let members): members.isEmpty
        case .list(let items): items.isEmpty
        }
    }
}

extension Schema {
    /// The schema of what `element` leads to; nil where nothing is known of it.
    func schema(of element: PathElement) -> Schema? {
        switch (shape, element) {
        case (.object(let properties), .field(let name)): properties.first { $0.name == name }?.schema
        case (.map(let values, _, _), .field): values
        case (.array(let items, _, _), .key), (.array(let items, _, _), .value): items
        default: nil
        }
    }

    /// Whether `element` is a member that the schema names, so that its being there needs no owner of its own.
    func names(_ element: PathElement) -> Bool {
        guard case .object(let properties) = shape, case .field(let name) = element else { return false }
        return properties.contains { $0.name == name }
    }
}
