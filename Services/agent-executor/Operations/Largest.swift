/// Those of many elements that come first in an order, the largest of a walk for example, in room for twice as many of them as are wanted.
public struct Largest<Element> {
    private let count: Int
    private let isBefore: (Element, Element) -> Bool
    private var kept: [Element] = []

    /// - Parameters:
    ///   - count: how many are wanted, at least 1.
    ///   - isBefore: whether an element is to come before another; a strict order.
    public init(_ count: Int, by isBefore: @escaping (Element, Element) -> Bool) {
        precondition(count > 0, "nothing is kept of nothing")
        self.count = count
        self.isBefore = isBefore
    }

    public mutating func add(_ element: Element) {
        kept.append(element)
        if kept.count >= 2 * count { kept = sorted }
    }

    /// At most `count`, in their order.
    public var sorted: [Element] { Array(kept.sorted(by: isBefore).prefix(count)) }
}
