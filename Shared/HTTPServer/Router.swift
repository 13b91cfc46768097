public import HTTPMessage

/// The table from method and path to route: a value without state.
///
/// A literal segment goes before a parameter, a parameter before a tail; where the better choice leads nowhere the next is tried. `HEAD`
/// falls back to `GET`. A parameter never matches an empty segment, and `/a/` is not `/a`; a template may end so.
public struct Router: Sendable {
    /// What a method and a path lead to.
    public enum Match: Sendable, Equatable {
        case route(index: Int, parameters: [String: String])
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
        var literals: [(text: String, bytes: [UInt8], node: Int)] = []
        var parameter: Int?
        var tail: Int?
        /// Routes whose template ends here.
        var routes: [(method: Method, index: Int)] = []
        var allow = ""
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
                case .literal(let text): nodes[node].literals.append((text, Array(text.utf8), next))
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
        found.walk(self, node: 0, from: 0)
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
        for entry in routes where entry.method == method {
            return entry.index
        }
        if method == .head {
            for entry in routes where entry.method == .get {
                return entry.index
            }
        }
        return nil
    }

    private func parameters(of index: Int, from ranges: [Range<Int>], in path: UnsafeBufferPointer<UInt8>) -> Match {
        let names = parameterNames[index]
        guard !names.isEmpty else { return .route(index: index, parameters: [:]) }
        var parameters: [String: String] = [:]
        parameters.reserveCapacity(names.count)
        for (name, range) in zip(names, ranges) {
            guard let value = PercentEncoding.decode(UnsafeBufferPointer(rebasing: path[range])) else { return .malformedPath }
            parameters[name] = value
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
        mutating func walk(_ router: Router, node: Int, from slash: Int) {
            let here = router.nodes[node]
            let start = min(slash + 1, path.count)
            if slash == path.count || (start == path.count && node == 0) {
                if !here.routes.isEmpty { self.node = node }
                return
            }
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
            if let next = literal(among: here.literals, start..<end) {
                walk(router, node: next, from: end)
                if self.node != nil { return }
            }
            guard start != end else { return }
            if let next = here.parameter {
                variable.append(start..<end)
                walk(router, node: next, from: end)
                if self.node != nil { return }
                variable.removeLast()
            }
            if let next = here.tail {
                variable.append(start..<path.count)
                self.node = next
            }
        }

        private mutating func literal(among literals: [(text: String, bytes: [UInt8], node: Int)], _ range: Range<Int>) -> Int? {
            if literals.isEmpty { return nil }
            let segment = UnsafeBufferPointer(rebasing: path[range])
            guard segment.contains(UInt8(ascii: "%")) else {
                for literal in literals where literal.bytes.count == segment.count && literal.bytes.elementsEqual(segment) {
                    return literal.node
                }
                return nil
            }
            guard let decoded = PercentEncoding.decode(segment) else {
                sawMalformed = true
                return nil
            }
            return literals.first { $0.text == decoded }?.node
        }
    }
}
