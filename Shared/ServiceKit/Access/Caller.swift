import Model

/// What kind of party a bearer token speaks for.
public enum CallerClass: String, Sendable, Hashable, CaseIterable {
    /// A person with the command line, kubectl or a browser.
    case admin
    /// Whoever sends alerts and events: Alertmanager, Prometheus, a cron job.
    case receiver
    /// One of the services speaking to another.
    case service
    /// The agent of one node.
    case agent
}

/// The party that a request's token proved.
public enum Caller: Sendable, Hashable {
    case admin
    case receiver
    case service
    /// The agent that holds the token of node `node`; it may speak for no other.
    case agent(node: NodeName)

    /// The class that endpoints declare.
    public var callerClass: CallerClass {
        switch self {
        case .admin: .admin
        case .receiver: .receiver
        case .service: .service
        case .agent: .agent
        }
    }

    /// The node of an agent's token; nil for every other class.
    public var node: NodeName? {
        guard case .agent(let node) = self else { return nil }
        return node
    }
}

extension Caller: CustomStringConvertible {
    /// `admin`, `agent:web-07`: what a log line or a field manager shows.
    public var description: String {
        guard let node else { return callerClass.rawValue }
        return "agent:\(node)"
    }
}
