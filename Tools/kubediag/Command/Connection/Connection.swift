import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import ResourceClient

/// An open door to one installation.
struct Connection: Sendable {
    /// What a command may ask of which process.
    enum Service: Sendable {
        /// Resources of every kind, alerts and decisions.
        case router
        case graphBuilder
        case scheduler
    }

    /// A complete answer of 2xx.
    struct Answer: Sendable {
        let status: Int
        let headers: Headers
        let body: [UInt8]

        /// The texts of the `Warning` fields.
        var warnings: [String] { headers.all("Warning").map(WarningText.parse) }
    }

    let server: ServerAddress
    let scheduler: ServerAddress
    let graphBuilder: ServerAddress
    let tokenFile: String?
    let context: ContextFile?
    let http: HTTPClient

    init(server: ServerAddress, scheduler: ServerAddress, graphBuilder: ServerAddress, tokenFile: String?, context: ContextFile?) throws {
        self.server = server
        self.scheduler = scheduler
        self.graphBuilder = graphBuilder
        self.tokenFile = tokenFile
        self.context = context
        http = try HTTPClient(configuration: HTTPClientConfiguration(userAgent: "kubediag/\(CommandVersion.text)"))
    }

    /// The resource API with the same address and token.
    var resources: ResourceClient {
        ResourceClient(
            baseURL: server.description, credentials: tokenFile.map { ClientCredentials.tokenFile(path: $0) } ?? .anonymous, http: http)
    }

    func address(of service: Service) -> ServerAddress {
        switch service {
        case .router: server
        case .graphBuilder: graphBuilder
        case .scheduler: scheduler
        }
    }

    /// Sends a request and returns its 2xx answer; anything else is a failure in words for people.
    func send(
        _ method: Method, _ path: String, query: Query = Query(), body: JSON? = nil, type: String = "application/json",
        to service: Service = .router, accept: String = "application/json"
    ) async throws -> Answer {
        let request = try request(method, path, query: query, body: body, type: type, to: service, accept: accept)
        let response: ClientResponse
        do {
            response = try await http.send(request)
        } catch {
            throw unreachable(error, service)
        }
        guard (200..<300).contains(response.status) else {
            throw ServerRefusal(
                error: Self.apiError(response.status, response.body), address: address(of: service), tokenFile: tokenFile)
        }
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    /// The same, with the answer's body as JSON.
    func json(
        _ method: Method, _ path: String, query: Query = Query(), body: JSON? = nil, type: String = "application/json",
        to service: Service = .router
    ) async throws -> JSON {
        let answer = try await send(method, path, query: query, body: body, type: type, to: service)
        do throws(JSON.ParseError) {
            return try JSON(parsing: answer.body)
        } catch {
            throw CommandFailure("\(address(of: service)) answered \(method) \(path) with something that is not JSON: \(error)")
        }
    }

    func request(
        _ method: Method, _ path: String, query: Query = Query(), body: JSON? = nil, type: String = "application/json",
        to service: Service = .router, accept: String = "application/json"
    ) throws -> ClientRequest {
        var request = ClientRequest(
            method: method, url: "\(address(of: service))\(path)\(query.isEmpty ? "" : "?\(query.encoded)")", headers: ["Accept": accept],
            timeoutSeconds: 60, responseBytesMax: 256 << 20, retry: RetryPolicy(attemptsMax: 3, backoffSeconds: 0.2, backoffSecondsMax: 1))
        if let tokenFile { request.headers.set("Authorization", "Bearer \(try Self.token(tokenFile))") }
        if let body {
            request.body = body.encoded()
            request.headers.set("Content-Type", type)
        }
        return request
    }

    func unreachable(_ error: HTTPClientError, _ service: Service) -> CommandFailure {
        let address = address(of: service)
        let option =
            switch service {
            case .router: "--server"
            case .graphBuilder: "--graph-builder"
            case .scheduler: "--scheduler"
            }
        guard case .connectFailed(let cause, _) = error else {
            return CommandFailure("no answer from \(address): \(error)", status: .unreachable)
        }
        return CommandFailure(
            "nothing answers at \(address) (\(cause))",
            hints: ["Start everything on this machine with: kubediag up", "Or say where it is: \(option) URL (kubediag --help)"],
            status: .unreachable)
    }

    static func apiError(_ status: Int, _ body: [UInt8]) -> APIError {
        do throws(JSON.ParseError) {
            if let error = APIError(status: try JSON(parsing: body)) { return error }
        } catch {
            // Something in front of the server answered: its status is all there is to say.
        }
        return APIError(code: status, reason: "Unknown", message: "the server answered \(status)")
    }

    private static func token(_ path: String) throws -> String {
        let text = String(decoding: try FileSystem.read(path, bytesMax: 4096), as: UTF8.self)
        guard let token = text.split(whereSeparator: \.isWhitespace).first, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw CommandFailure("\(path) holds no token", hints: ["It has to hold one line with the token."], status: .refused)
        }
        return String(token)
    }
}

/// A refusal of the server, with what the command needs to explain it.
struct ServerRefusal: Error, CustomStringConvertible {
    let error: APIError
    let address: ServerAddress
    let tokenFile: String?

    var description: String { error.description }

    /// The refusal in words for people.
    var failure: CommandFailure {
        switch error.code {
        case 401:
            let hint =
                tokenFile.map { "The token comes from \($0)." }
                ?? "No token was presented: give --token-file FILE or KUBEDIAG_TOKEN_FILE (kubediag up leaves one in its data directory)."
            return CommandFailure("\(address) does not accept the token", hints: [hint], status: .refused)
        case 403: return CommandFailure(error.message, hints: tokenFile.map { ["The token comes from \($0)."] } ?? [], status: .refused)
        case 503, 504:
            return CommandFailure("\(address) can't do it now: \(error.message)", hints: ["See what is missing: \(address)/readyz"])
        case _ where !error.causes.isEmpty:
            return CommandFailure(
                "\(error.kind.map { "\($0) " } ?? "")\(error.name ?? "") was refused:", hints: error.causes.map(\.description))
        default: return CommandFailure(error.message)
        }
    }
}

/// The text within a `Warning` field: `299 - "text"`.
enum WarningText {
    static func parse(_ field: String) -> String {
        guard let start = field.firstIndex(of: "\""), field.last == "\"", start < field.index(before: field.endIndex) else { return field }
        var text = ""
        var isEscaped = false
        for character in field[field.index(after: start)..<field.index(before: field.endIndex)] {
            if !isEscaped, character == "\\" {
                isEscaped = true
            } else {
                text.append(character)
                isEscaped = false
            }
        }
        return text
    }
}
