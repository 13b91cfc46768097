/// A set of fields by their paths: what one manager owns of an object.
///
/// The operations are those of sets: a field and what is below it are members independently of each other.
public struct FieldSet: Sendable, Hashable {
    /// Elements deeper than this are never looked at on their own: what is there belongs to its ancestor at this depth. So a set can be
    /// written into the object's metadata and read back whatever the object holds.
    public static let depthMax = 32

    private(set) var members: Set<PathElement> = []
    /// None of them is empty.
    private(set) var children: [PathElement: FieldSet] = [:]

    public init() {}

    public init(_ paths: [FieldPath]) {
        for path in paths { insert(path) }
    }

    public var isEmpty: Bool { members.isEmpty && children.isEmpty }

    public func contains(_ path: FieldPath) -> Bool { contains(path[...]) }

    private func contains(_ path: ArraySlice<PathElement>) -> Bool {
        guard let first = path.first else { return false }
        return path.count == 1 ? members.contains(first) : children[first]?.contains(path.dropFirst()) ?? false
    }

    /// Adds a field; the root itself cannot be owned.
    public mutating func insert(_ path: FieldPath) { insert(path[...]) }

    private mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let first = path.first else { return }
        if path.count == 1 {
            members.insert(first)
        } else {
            children[first, default: FieldSet()].insert(path.dropFirst())
        }
    }

    /// What of this set is below `element`.
    func below(_ element: PathElement) -> FieldSet { children[element] ?? FieldSet() }

    mutating func insert(member element: PathElement) { members.insert(element) }

    mutating func set(_ set: FieldSet, below element: PathElement) { children[element] = set.isEmpty ? nil : set }

    /// Every path, in order.
    public var paths: [FieldPath] {
        Set(members).union(children.keys).sorted().flatMap { element -> [FieldPath] in
            (members.contains(element) ? [[element]] : []) + (children[element]?.paths.map { [element] + $0 } ?? [])
        }
    }

    /// How many fields there are.
    public var count: Int { members.count + children.values.reduce(0) { $0 + $1.count } }
}

extension FieldSet {
    public func union(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        if isEmpty { return other }
        var result = self
        result.members.formUnion(other.members)
        for (element, set) in other.children { result.children[element] = result.children[element]?.union(set) ?? set }
        return result
    }

    public func subtracting(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        var result = self
        result.members.subtract(other.members)
        for (element, set) in other.children {
            guard let own = result.children[element] else { continue }
            result.set(own.subtracting(set), below: element)
        }
        return result
    }

    public func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        result.members = members.intersection(other.members)
        for (element, set) in children {
            guard let theirs = other.children[element] else { continue }
            result.set(set.intersection(theirs), below: element)
        }
        return result
    }
}
