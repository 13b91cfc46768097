import Model

/// What the engine keeps of the Agent objects beside the registry: when each was last written down, and which registrations are under way.
struct AgentShelf {
    /// When `lastHeartbeatTime` was last stored, by node.
    var writtenAt: [NodeName: Timestamp] = [:]
    /// Of the Agent objects, by node.
    var uids: [NodeName: UID] = [:]
    /// Nodes whose registration is being written.
    var registering: Set<NodeName> = []

    /// Whether the scheduler could reach the agent when it last tried; absent before the first try.
    var reachability: [NodeName: Reachability] = [:]

    enum Reachability: Sendable, Hashable {
        case reachable
        case unreachable(String)
    }

    /// `lastHeartbeatTime` is at most this old in the store.
    static let heartbeatWriteSeconds = 30.0
}
