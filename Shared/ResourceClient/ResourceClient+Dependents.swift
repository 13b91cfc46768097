import HTTPMessage
import JSONCoding
public import Model

extension ResourceClient {
    /// How many objects of the process behind this client name that object as their owner: a route of our own services alone.
    public func dependentCount(of uid: UID) async throws(ResourceClientError) -> DependentCount {
        let json = try await call(.get, "/api/v1/dependents/\(PercentEncoding.encode(uid.rawValue))", isRead: true)
        do {
            return try json.decode(DependentCount.self)
        } catch {
            throw .unreadable("the answer is no count of dependents: \(error)")
        }
    }
}
