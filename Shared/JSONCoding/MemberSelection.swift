/// Values that are wanted of a document, by their paths from its root: `["status", "phase"]`.
///
/// A path goes through objects by the names of members, and through an array by `eachElement`: then its value is an array of what is found in
/// each element, with null where nothing is. The empty path is the whole document.
public struct MemberSelection: Sendable {
    /// The part of a path that goes into each element of an array.
    public static let eachElement = "*"

    /// One place on the way of the paths.
    struct Node: Sendable {
        /// The paths that end here.
        var ends: [Int] = []
        /// The paths that lead here and further.
        var through: [Int] = []
        var members: [Member] = []
        var elements: Int?
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
        for (number, path) in paths.enumerated() { insert(path, number) }
    }

    private mutating func insert(_ path: [String], _ number: Int) {
        var place = 0
        for part in path {
            nodes[place].through.append(number)
            place = part == Self.eachElement ? elements(of: place) : member(part, of: place)
        }
        nodes[place].ends.append(number)
    }

    private mutating func elements(of place: Int) -> Int {
        if let known = nodes[place].elements { return known }
        nodes.append(Node())
        nodes[place].elements = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func member(_ name: String, of place: Int) -> Int {
        if let known = nodes[place].members.first(where: { $0.name == name }) { return known.node }
        nodes.append(Node())
        nodes[place].members.append(Member(name: name, bytes: Array(name.utf8), node: nodes.count - 1))
        return nodes.count - 1
    }
}

// MARK: - Of a value

extension MemberSelection {
    /// What each path leads to; nil for what is not there.
    public func values(of document: JSON) -> [JSON?] {
        var values = [JSON?](repeating: nil, count: pathCount)
        read(document, 0, &values)
        return values
    }

    func read(_ value: JSON, _ place: Int, _ values: inout [JSON?]) {
        let node = nodes[place]
        for path in node.ends { values[path] = value }
        switch value {
        case .object(let members):
            for member in node.members {
                if let value = members[member.name] { read(value, member.node, &values) }
            }
        case .array(let elements):
            guard let place = node.elements else { return }
            var found = Found(self, in: place)
            for element in elements {
                var values = found.nothing
                read(element, place, &values)
                found.append(values)
            }
            found.put(into: &values)
        default: break
        }
    }

    /// Gathers what each element of an array has for the paths that lead into it.
    struct Found {
        let nothing: [JSON?]
        private let paths: [Int]
        private var elements: [[JSON]]

        init(_ selection: MemberSelection, in place: Int) {
            nothing = [JSON?](repeating: nil, count: selection.pathCount)
            paths = selection.nodes[place].ends + selection.nodes[place].through
            elements = [[JSON]](repeating: [], count: paths.count)
        }

        mutating func append(_ values: [JSON?]) {
            for (number, path) in paths.enumerated() { elements[number].append(values[path] ?? .null) }
        }

        func put(into values: inout [JSON?]) {
            for (number, path) in paths.enumerated() { values[path] = .array(elements[number]) }
        }
    }
}

// MARK: - Of bytes

extension MemberSelection {
    /// What each path leads to in a document that is parsed as `JSON(parsing:)` does, but of which no other values are built: for large
    /// documents of which little is read. What is stepped over is checked for its form alone; of members that come twice the last counts.
    public func values(parsing bytes: [UInt8], limits: JSON.Limits = .default) throws(JSON.ParseError) -> [JSON?] {
        try JSON.withTape(of: bytes, limits) { tape, strings throws(JSON.ParseError) in
            var values = [JSON?](repeating: nil, count: pathCount)
            var walk = TapeWalk(tape: tape, strings: strings, depthMax: limits.depthMax)
            try walk.read(self, 0, &values)
            return values
        }
    }
}

extension TapeWalk {
    /// Reads what is selected of the value here, and steps past it.
    fileprivate mutating func read(
        _ selection: MemberSelection, _ place: Int, _ values: inout [JSON?]
    ) throws(JSON.ParseError) {
        // Where a path ends its value is built, and paths that go further read that.
        if !selection.nodes[place].ends.isEmpty { return selection.read(try value(), place, &values) }
        switch kind {
        case UInt8(ascii: "{"):
            try object { walk, key throws(JSON.ParseError) in
                for member in selection.nodes[place].members where walk.isString(key, member.bytes) {
                    return try walk.read(selection, member.node, &values)
                }
                walk.skip()
            }
        case UInt8(ascii: "["):
            guard let place = selection.nodes[place].elements else { return skip() }
            var found = MemberSelection.Found(selection, in: place)
            try elements { walk throws(JSON.ParseError) in
                var element = found.nothing
                try walk.read(selection, place, &element)
                found.append(element)
            }
            found.put(into: &values)
        default: skip()
        }
    }
}
