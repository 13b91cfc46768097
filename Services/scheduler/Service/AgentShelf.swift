import Model

/// What the engine keeps of the Agent objects beside the registry: when each was last written down, and which registrations are under way.
struct AgentShelf {
    /// When `lastHeartbeatTime` was last stored, by node.
    var writtenAt: [NodeName: Timestamp] = [:]
    /// Nodes whose registration is being written.
    var registering: Set<NodeName> = []

    /// `lastHeartbeatTime` is at most this old in the store.
    static let heartbeatWriteSeconds = 30.0
}
