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
        /// The name as it stands between the quotes.
        let text: [UInt8]
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
        let text = Array(JSON.encoded(string: name).dropFirst().dropLast())
        nodes[place].lengths |= Node.bit(ofLength: text.count)
        nodes[place].members.append(Member(name: name, text: text, node: nodes.count - 1))
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

    /// Hands what each path leads to in a text to `body`, without building the rest of it: for many documents of which little is read.
    ///
    /// The text has to be JSON as `JSON.encoded()` writes it, which is not checked but for the values that `body` asks for: of another text it may
    /// find other things, or throw. Nothing that `body` is given may be kept.
    public func withValues<Result>(
        ofEncoded bytes: [UInt8], _ body: (SelectedValues) throws(JSON.ParseError) -> Result
    ) throws(JSON.ParseError) -> Result {
        try bytes.withUnsafeBufferPointer { bytes throws(JSON.ParseError) in
            let text = UnsafeRawBufferPointer(bytes)
            return try withUnsafeTemporaryAllocation(of: Range<Int>?.self, capacity: pathCount) { places throws(JSON.ParseError) in
                places.initialize(repeating: nil)
                var walk = TextWalk(text)
                try nodes.withUnsafeBufferPointer { nodes throws(JSON.ParseError) in try walk.find(nodes, 0, places) }
                try walk.end()
                return try body(SelectedValues(text, UnsafeBufferPointer(places)))
            }
        }
    }
}
