/// What a `MemberSelection` found in a parsed document, built only as far as it is asked for.
public struct SelectedValues {
    private let walk: TapeWalk
    /// Of each path; nil where it leads to nothing.
    private var places: [TapeWalk.Place?]

    init(_ selection: MemberSelection, _ start: TapeWalk) throws(JSON.ParseError) {
        walk = start
        var (walk, places) = (start, [TapeWalk.Place?](repeating: nil, count: selection.pathCount))
        try selection.nodes.withUnsafeBufferPointer { nodes throws(JSON.ParseError) in try walk.find(nodes, 0, &places) }
        self.places = places
    }

    /// What the path of this number leads to; nil where that is nothing.
    public func value(_ path: Int) throws(JSON.ParseError) -> JSON? {
        guard let place = places[path] else { return nil }
        var walk = walk.at(place)
        return try walk.value()
    }

    /// Appends the JSON text of what the path of this number leads to; false where that is nothing.
    public func appendEncoded(_ path: Int, to bytes: inout [UInt8]) throws(JSON.ParseError) -> Bool {
        guard let place = places[path] else { return false }
        var walk = walk.at(place)
        var writer = JSONWriter(indented: false)
        swap(&writer.bytes, &bytes)
        defer { swap(&writer.bytes, &bytes) }
        try walk.write(to: &writer)
        return true
    }
}

extension MemberSelection.Node {
    /// The place of the member that a key names; nil where it is not wanted.
    fileprivate func member(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
        guard lengths & MemberSelection.Node.bit(ofLength: key.count) != 0 else { return nil }
        for index in members.indices where members[index].bytes.count == key.count {
            if key.elementsEqual(members[index].bytes) { return members[index].node }
        }
        return nil
    }
}

extension TapeWalk {
    /// Notes where what is selected of the value here stands, and steps past it.
    fileprivate mutating func find(
        _ nodes: UnsafeBufferPointer<MemberSelection.Node>, _ number: Int, _ places: inout [Place?]
    ) throws(JSON.ParseError) {
        for path in nodes[number].ends { places[path] = place }
        guard kind == UInt8(ascii: "{"), !nodes[number].members.isEmpty else { return skip() }
        try object { walk, key throws(JSON.ParseError) in
            guard let member = nodes[number].member(walk.text(key)) else { return walk.skip() }
            try walk.find(nodes, member, &places)
        }
    }
}
