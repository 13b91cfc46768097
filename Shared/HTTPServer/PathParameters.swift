/// The variable parts of a path by the names in its route's template, percent-decoded.
///
/// A route has few, so a look-up is a walk over an array and costs no hashing.
public struct PathParameters: Sendable, Hashable {
    private struct Item: Sendable, Hashable {
        let name: String
        let value: String
    }

    private var items: [Item] = []

    mutating func reserveCapacity(_ count: Int) { items.reserveCapacity(count) }

    mutating func add(_ name: String, _ value: String) { items.append(Item(name: name, value: value)) }

    /// The value of `{name}`; nil where the template has no such part.
    public subscript(name: String) -> String? {
        for index in items.indices where items[index].name == name { return items[index].value }
        return nil
    }
}

extension PathParameters: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        items = elements.map { Item(name: $0.0, value: $0.1) }
    }
}
