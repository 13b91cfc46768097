import Glibc
public import HTTPMessage

/// The table from method and path to route: a value without state.
///
/// A literal segment goes before a parameter, a parameter before a tail; where the better choice leads nowhere the next is tried. `HEAD`
/// falls back to `GET`. A parameter never matches an empty segment, and `/a/` is not `/a`; a template may end so.
public struct Router: Sendable {
    /// What a method and a path lead to.
    public enum Match: Sendable, Equatable {
        case route(index: Int, parameters: PathParameters)
        /// The path exists, the method does not; `allow` is the value of the `Allow` field (RFC 9110, 10.2.1).
        case methodNotAllowed(allow: String)
        /// An `OPTIONS` request for a path whose routes do not answer it themselves.
        case options(allow: String)
        case notFound
        /// An escape in a variable part is malformed or stands for bytes that are not UTF-8.
        case malformedPath
    }

    public let routes: [Route]
    private let parameterNames: [[String]]
    private var nodes: [Node] = [Node()]

    /// One place in the tree of segments.
    private struct Node: Sendable {
        var literals: [Literal] = []
        var parameter: Int?
        var tail: Int?
        /// Routes whose template ends here.
        var routes: [(method: Method, index: Int)] = []
        var allow = ""
    }

    private struct Literal: Sendable {
        let text: String
        let bytes: [UInt8]
        let node: Int
    }

    /// Builds the table; the order of the routes does not matter.
    public init(_ routes: [Route]) throws(RouterError) {
        self.routes = routes
        let templates = try Self.templates(of: routes)
        parameterNames = templates.map(\.parameterNames)
        for (index, template) in templates.enumerated() {
            try insert(template, index: index)
        }
        for index in nodes.indices {
            nodes[index].allow = Self.allow(nodes[index].routes.map(\.method))
        }
    }

    private static func templates(of routes: [Route]) throws(RouterError) -> [RouteTemplate] {
        var templates: [RouteTemplate] = []
        for route in routes { templates.append(try RouteTemplate(parsing: route.template)) }
        return templates
    }

    private mutating func insert(_ template: RouteTemplate, index: Int) throws(RouterError) {
        var node = 0
        for segment in template.segments {
            if let next = child(of: node, for: segment) {
                node = next
            } else {
                let next = nodes.count
                nodes.append(Node())
                switch segment {
                case .literal(let text): nodes[node].literals.append(Literal(text: text, bytes: Array(text.utf8), node: next))
                case .parameter: nodes[node].parameter = next
                case .tail: nodes[node].tail = next
                }
                node = next
            }
        }
        let method = routes[index].method
        guard !nodes[node].routes.contains(where: { $0.method == method }) else {
            throw .duplicate(method: method.token, template: routes[index].template)
        }
        nodes[node].routes.append((method, index))
    }

    private func child(of node: Int, for segment: RouteTemplate.Segment) -> Int? {
        switch segment {
        case .literal(let text): nodes[node].literals.first { $0.text == text }?.node
        case .parameter: nodes[node].parameter
        case .tail: nodes[node].tail
        }
    }

    private static func allow(_ methods: [Method]) -> String {
        var tokens = Set(methods.map(\.token))
        if tokens.isEmpty { return "" }
        if tokens.contains("GET") { tokens.insert("HEAD") }
        tokens.insert("OPTIONS")
        return tokens.sorted().joined(separator: ", ")
    }

    /// Looks up a path as it was sent, percent-encoded and without the query.
    public func match(_ method: Method, _ path: String) -> Match {
        var path = path
        return path.withUTF8 { match(method, $0) }
    }

    private func match(_ method: Method, _ path: UnsafeBufferPointer<UInt8>) -> Match {
        guard path.first == UInt8(ascii: "/") else { return .notFound }
        var found = Search(path: path)
        nodes.withUnsafeBufferPointer { found.walk($0, 0, from: 0) }
        guard let node = found.node else {
            return found.sawMalformed ? .malformedPath : .notFound
        }
        guard let index = route(for: method, at: node) else {
            return method == .options ? .options(allow: nodes[node].allow) : .methodNotAllowed(allow: nodes[node].allow)
        }
        return parameters(of: index, from: found.variable, in: path)
    }

    private func route(for method: Method, at node: Int) -> Int? {
        let routes = nodes[node].routes
        for index in routes.indices where routes[index].method == method { return routes[index].index }
        return method == .head ? self.route(for: .get, at: node) : nil
    }

    private func parameters(of index: Int, from ranges: [Range<Int>], in path: UnsafeBufferPointer<UInt8>) -> Match {
        let names = parameterNames[index]
        guard !names.isEmpty else { return .route(index: index, parameters: [:]) }
        var parameters = PathParameters()
        parameters.reserveCapacity(names.count)
        for (name, range) in zip(names, ranges) {
            guard let value = PercentEncoding.decode(UnsafeBufferPointer(rebasing: path[range])) else { return .malformedPath }
            parameters.add(name, value)
        }
        return .route(index: index, parameters: parameters)
    }
}

extension Router {
    /// A walk from the root that keeps the ranges of the variable segments; it visits each place in the tree at most once. Must not outlive the
    /// path.
    private struct Search {
        let path: UnsafeBufferPointer<UInt8>
        var variable: [Range<Int>] = []
        var node: Int?
        var sawMalformed = false

        init(path: UnsafeBufferPointer<UInt8>) {
            self.path = path
        }

        /// `slash` is where the `/` before the segment to match is, or the end of the path.
        mutating func walk(_ nodes: UnsafeBufferPointer<Node>, _ place: Int, from slash: Int) {
            let start = min(slash + 1, path.count)
            if slash == path.count || (start == path.count && place == 0) {
                if !nodes[place].routes.isEmpty { node = place }
                return
            }
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            if let next = literal(nodes, place, start..<end) {
                walk(nodes, next, from: end)
                if node != nil { return }
            }
            guard start != end else { return }
            if let next = nodes[place].parameter {
                variable.append(start..<end)
                walk(nodes, next, from: end)
                if node != nil { return }
                variable.removeLast()
            }
            if let next = nodes[place].tail {
                variable.append(start..<path.count)
                node = next
            }
        }

        private mutating func literal(_ nodes: UnsafeBufferPointer<Node>, _ place: Int, _ range: Range<Int>) -> Int? {
            // By index, since each step of a walk over the elements would count references.
            if nodes[place].literals.isEmpty { return nil }
            let segment = UnsafeBufferPointer(rebasing: path[range])
            guard segment.contains(UInt8(ascii: "%")) else {
                for index in nodes[place].literals.indices where isEqual(nodes[place].literals[index].bytes, segment) {
                    return nodes[place].literals[index].node
                }
                return nil
            }
            guard let decoded = PercentEncoding.decode(segment) else {
                sawMalformed = true
                return nil
            }
            return nodes[place].literals.first { $0.text == decoded }?.node
        }

        private func isEqual(_ literal: [UInt8], _ segment: UnsafeBufferPointer<UInt8>) -> Bool {
            guard literal.count == segment.count, let start = segment.baseAddress else { return literal.isEmpty && segment.isEmpty }
            return memcmp(literal, start, segment.count) == 0
        }
    }
}
