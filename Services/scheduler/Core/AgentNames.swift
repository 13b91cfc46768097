import Model

/// What a target name came to.
package enum AgentMatch: Sendable, Hashable {
    case one(NodeName)
    /// Several agents go by that alias.
    case ambiguous([NodeName])
    /// Nobody does; the nearest names, best first.
    case none(near: [NodeName])
}

/// The names by which targets may call agents.
///
/// A target is matched by exact node name, then without its `:port`, then by alias (with and without the port). Host names know no case.
package struct AgentNames: Sendable {
    private static let suggestionsMax = 3

    private var aliases: [NodeName: [String]] = [:]
    private var holders: [String: Set<NodeName>] = [:]

    package init() {}

    package mutating func set(_ node: NodeName, aliases new: [String]) {
        remove(node)
        let spelled = new.map { $0.lowercased() }
        aliases[node] = spelled
        for alias in spelled { holders[alias, default: []].insert(node) }
    }

    package mutating func remove(_ node: NodeName) {
        for alias in aliases.removeValue(forKey: node) ?? [] {
            holders[alias]?.remove(node)
            if holders[alias]?.isEmpty == true { holders[alias] = nil }
        }
    }

    package func match(_ target: String) -> AgentMatch {
        let whole = target.lowercased()
        let bare = Self.withoutPort(whole)
        if aliases[NodeName(target)] != nil { return .one(NodeName(target)) }
        for name in [whole, bare] where aliases[NodeName(name)] != nil { return .one(NodeName(name)) }
        for name in [whole, bare] {
            guard let nodes = holders[name], let first = nodes.first else { continue }
            return nodes.count == 1 ? .one(first) : .ambiguous(nodes.sorted())
        }
        return .none(near: nearest(to: bare))
    }

    /// `web-07:9100` → `web-07`, `[::1]:9100` → `::1`; an IPv6 address without brackets has no port to take off.
    static func withoutPort(_ name: String) -> String {
        if name.first == "[", let end = name.firstIndex(of: "]") { return String(name[name.index(after: name.startIndex)..<end]) }
        guard let colon = name.lastIndex(of: ":"), name.firstIndex(of: ":") == colon else { return name }
        let port = name[name.index(after: colon)...]
        return !port.isEmpty && port.utf8.allSatisfy { (48...57).contains($0) } ? String(name[..<colon]) : name
    }

    private func nearest(to name: String) -> [NodeName] {
        guard !name.isEmpty else { return [] }
        let shortName = name.prefix { $0 != "." }
        let ranked = aliases.compactMap { node, aliases -> (distance: Int, node: NodeName)? in
            let distances = ([node.rawValue] + aliases).map { candidate -> Int in
                if !shortName.isEmpty, candidate.prefix(while: { $0 != "." }) == shortName { return 0 }
                return EditDistance.between(candidate, name)
            }
            guard let best = distances.min(), best <= max(2, name.utf8.count / 3) else { return nil }
            return (best, node)
        }
        return ranked.sorted { ($0.distance, $0.node) < ($1.distance, $1.node) }.prefix(Self.suggestionsMax).map(\.node)
    }
}
