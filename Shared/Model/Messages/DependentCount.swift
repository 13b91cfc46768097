/// `GET /api/v1/dependents/{uid}` at every process that owns kinds: how many of its objects name that one as their owner.
public struct DependentCount: Codable, Sendable, Hashable {
    public var dependents: Int
    /// Those among them that a foreground deletion of the owner waits for.
    public var blocking: Int

    public init(dependents: Int, blocking: Int) {
        self.dependents = dependents
        self.blocking = blocking
    }
}
