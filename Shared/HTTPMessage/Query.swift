/// The query of a request target: decoded names and values in the order in which they were sent.
public struct Query: Sendable, Hashable {
    /// One name and its value; a name without `=` has an empty value.
    public struct Item: Sendable, Hashable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var items: [Item]

    /// An empty query; allocates nothing.
    public init() {
        items = []
    }

    public init(_ items: [Item]) {
        self.items = items
    }

    /// Takes `a=1&b=x%20y&c` apart; nil where an escape is malformed or stands for bytes that are not UTF-8.
    ///
    /// `+` is a space, as kubectl, browsers and libcurl's form encoding write it.
    public init?(parsing text: some StringProtocol) {
        items = []
        for part in text.split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(sides[0], plusIsSpace: true),
                let value = sides.count == 2 ? PercentEncoding.decode(sides[1], plusIsSpace: true) : ""
            else { return nil }
            items.append(Item(name: name, value: value))
        }
    }

    /// The first value of `name`.
    public subscript(name: String) -> String? {
        for item in items where item.name == name {
            return item.value
        }
        return nil
    }

    /// Every value of `name`, in order.
    public func all(_ name: String) -> [String] {
        items.lazy.filter { $0.name == name }.map(\.value)
    }

    public mutating func add(_ name: String, _ value: String) {
        items.append(Item(name: name, value: value))
    }

    public var isEmpty: Bool { items.isEmpty }

    /// The query as it stands behind the `?`.
    public var encoded: String {
        items.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    }
}

extension Query: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        items = elements.map { Item(name: $0.0, value: $0.1) }
    }
}
