import HTTPMessage
import HTTPServer
import Model
public import ServiceKit

extension OwnershipCollector {
    /// The route by which other processes learn whether objects of this one hold theirs back.
    public nonisolated var endpoint: Endpoint {
        Self.endpoint { call in
            do {
                return try .encoding(await self.dependentCount(of: UID(call.parameter("uid"))))
            } catch {
                throw APIError.unavailable("the objects can't be read now", cause: "\(error)")
            }
        }
    }

    /// The same route, answered by `handler`.
    public static func endpoint(_ handler: @escaping Endpoint.Handler) -> Endpoint {
        Endpoint(
            .get, "/api/v1/dependents/{uid}", access: [.admin, .service],
            summary: "How many objects of this process name an object as their owner.", handler: handler)
    }
}
