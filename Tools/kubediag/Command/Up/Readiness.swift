import HTTPClient
import JSONCoding

/// What a service says of itself at `/readyz`.
enum Readiness: Sendable, Equatable {
    case ready
    /// It answers; these things are missing.
    case missing([String])
    case unreachable(String)

    static func read(_ address: String, _ http: HTTPClient) async -> Readiness {
        let response: ClientResponse
        do {
            response = try await http.send(ClientRequest(url: "\(address)/readyz", timeoutSeconds: 2, connectTimeoutSeconds: 1))
        } catch {
            return .unreachable("\(error)")
        }
        if response.status == 200 { return .ready }
        do throws(JSON.ParseError) {
            let missing = try JSON(parsing: response.body)["missing"]?.arrayValue ?? []
            return .missing(missing.compactMap { $0["message"]?.stringValue })
        } catch {
            return .missing(["answered \(response.status)"])
        }
    }
}
