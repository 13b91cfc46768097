import HTTPClient
import JSONCoding
import Model

/// Registers an agent's built-in operations as Operations, by server-side apply: what somebody else has changed in one stays.
struct BuiltInRegistration: Sendable {
    /// What became of them.
    struct Outcome: Sendable, Equatable {
        var registered = 0
        /// Names of those in which another manager owns a field.
        var left: [String] = []
    }

    private static let manager = "kubediag-built-in"
    private static let timeoutSeconds = 20.0

    let http: HTTPClient
    let agent: String
    let graphBuilder: String
    let token: String

    /// - Throws: `CommandFailure` naming the first request that failed.
    func perform() async throws -> Outcome {
        var outcome = Outcome()
        let list = try await send(ClientRequest(method: .get, url: "\(agent)/api/v1/operations", timeoutSeconds: Self.timeoutSeconds))
        guard case .array(let items)? = try JSON(parsing: list.body)["items"] else {
            throw CommandFailure("the agent's list of operations is none")
        }
        for item in items {
            guard let manifest = item["manifest"], case .string(let name)? = manifest["metadata"]?["name"] else { continue }
            let path = "/apis/\(API.groupVersion)/operations/\(PathSegment.encode(name))"
            let request = ClientRequest(
                method: .patch, url: "\(graphBuilder)\(path)?fieldManager=\(Self.manager)",
                headers: ["Content-Type": "application/apply-patch+yaml"], body: manifest.encoded(), timeoutSeconds: Self.timeoutSeconds)
            let response = try await send(request, mayConflict: true)
            if response.status == 409 { outcome.left.append(name) } else { outcome.registered += 1 }
        }
        return outcome
    }

    private func send(_ request: ClientRequest, mayConflict: Bool = false) async throws -> ClientResponse {
        var request = request
        request.headers.set("Authorization", "Bearer \(token)")
        let response: ClientResponse
        do throws(HTTPClientError) {
            response = try await http.send(request)
        } catch {
            throw CommandFailure("\(request.url): \(error)")
        }
        guard (200..<300).contains(response.status) || (mayConflict && response.status == 409) else {
            throw CommandFailure("\(request.url): status \(response.status)")
        }
        return response
    }
}
