/// Values that are wanted of a document, by their paths from its root through the members of objects: `["status", "phase"]`. The empty path is
/// the whole document.
public struct MemberSelection: Sendable {
    /// One place on the way of the paths.
    struct Node: Sendable {
        /// The paths that end here.
        var ends: [Int] = []
        var members: [Member] = []
        /// One bit for each length that a member's name has: most keys are passed over by it alone.
        var lengths: UInt64 = 0

        /// All from 63 on share the last bit.
        static func bit(ofLength length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }
    }

    struct Member: Sendable {
        let name: String
        let bytes: [UInt8]
        let node: Int
    }

    let pathCount: Int
    /// The root first.
    private(set) var nodes = [Node()]

    public init(_ paths: [[String]]) {
        pathCount = paths.count
        for (number, path) in paths.enumerated() {
            var place = 0
            for name in path { place = member(name, of: place) }
            nodes[place].ends.append(number)
        }
    }

    private mutating func member(_ name: String, of place: Int) -> Int {
        if let known = nodes[place].members.first(where: { $0.name == name }) { return known.node }
        nodes.append(Node())
        nodes[place].lengths |= Node.bit(ofLength: name.utf8.count)
        nodes[place].members.append(Member(name: name, bytes: Array(name.utf8), node: nodes.count - 1))
        return nodes.count - 1
    }
}

extension MemberSelection {
    /// What each path leads to; nil for what is not there.
    public func values(of document: JSON) -> [JSON?] {
        var values = [JSON?](repeating: nil, count: pathCount)
        read(document, 0, &values)
        return values
    }

    private func read(_ value: JSON, _ place: Int, _ values: inout [JSON?]) {
        let node = nodes[place]
        for path in node.ends { values[path] = value }
        guard case .object(let members) = value else { return }
        for member in node.members {
            if let value = members[member.name] { read(value, member.node, &values) }
        }
    }

    /// What each path leads to in a document that is parsed as `JSON(parsing:)` does, but of which no other values are built: for large
    /// documents of which little is read. What is stepped over is checked for its form alone; of members that come twice the last counts.
    public func values(parsing bytes: [UInt8], limits: JSON.Limits = .default) throws(JSON.ParseError) -> [JSON?] {
        try withValues(parsing: bytes, limits: limits) { selected throws(JSON.ParseError) in
            var values: [JSON?] = []
            for path in 0..<pathCount { values.append(try selected.value(path)) }
            return values
        }
    }

    /// Hands what each path leads to, as `values(parsing:)` finds it, to `body` before anything of it is built. `body` must not parse another
    /// document, nor keep what it is given.
    public func withValues<Result>(
        parsing bytes: [UInt8], limits: JSON.Limits = .default, _ body: (SelectedValues) throws(JSON.ParseError) -> Result
    ) throws(JSON.ParseError) -> Result {
        try JSON.withTape(of: bytes, limits) { tape, strings throws(JSON.ParseError) in
            try body(try SelectedValues(self, TapeWalk(tape: tape, strings: strings, depthMax: limits.depthMax)))
        }
    }
}
