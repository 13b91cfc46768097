import HTTPClient
import HTTPServer
import Model
import ResourceClient
import ResourceForwarding
import SchedulerCore
import ServiceKit
import Synchronization

/// Evidence for whoever asks the scheduler: passed on, as it comes, from the agent that keeps it.
///
/// `Range`, `If-Range` and `If-None-Match` reach the agent, its status and fields the caller. An agent that is away is a 503 that names it.
struct EvidenceForwarder: Sendable {
    /// Files under way at once; the next is a 503 with `Retry-After`. Each holds a connection to an agent.
    static let transfersMax = 32
    /// How long one may take.
    static let secondsMax = 600.0

    let engine: DiagnosisEngine
    let http: HTTPClient
    let token: ClientToken?
    let transfers = TransferCount(max: transfersMax)

    var endpoints: [Endpoint] {
        let limits = RouteLimits(bodyBytesMax: 0, streamSecondsMax: Self.secondsMax)
        return [
            Endpoint(
                .get, "/api/v1/evidence/{uid}", access: [.admin, .service], limits: limits,
                summary: "The files with evidence of a diagnosis, from the agent that keeps them.", handler: answer),
            Endpoint(
                .get, "/api/v1/evidence/{uid}/{rest...}", access: [.admin, .service], limits: limits,
                summary: "Evidence of a diagnosis, from the agent that keeps it.", handler: answer),
        ]
    }

    private func answer(_ call: Call) async throws -> Response {
        // With our token a path that climbs would reach more of the agent than its evidence.
        let names = (call.request.parameters["rest"] ?? "").split(separator: "/")
        guard !names.contains(where: { $0 == "." || $0 == ".." }) else { throw APIError.badRequest("the path must not climb") }
        let (node, address) = try await engine.evidenceSource(UID(call.parameter("uid")))
        guard let transfer = transfers.begin() else {
            throw APIError.unavailable("\(Self.transfersMax) files with evidence are under way; try again")
        }
        let credentials: ClientCredentials = token.map { token in .provider { token.authorization } } ?? .anonymous
        let client = ResourceClient(baseURL: address, credentials: credentials, http: http)
        var response = try await OwnerForwarder(owner: "agent \(node)", client: client).answer(call)
        switch response.body {
        case .stream(let write): response.body = .stream(Self.holding(transfer, write))
        case .sizedStream(let bytes, let write): response.body = .sizedStream(bytes: bytes, Self.holding(transfer, write))
        case .bytes, .file, .open: break
        }
        return response
    }

    private typealias Write = @Sendable (ResponseWriter) async throws -> Void

    private static func holding(_ transfer: TransferCount.Transfer, _ write: @escaping Write) -> Write {
        { writer in
            try await write(writer)
            transfer.end()
        }
    }
}

/// Counts transfers up to a limit; one that nobody holds any more has ended.
final class TransferCount: Sendable {
    private let max: Int
    private let count = Atomic<Int>(0)

    init(max: Int) {
        self.max = max
    }

    /// Nil where the limit is reached.
    func begin() -> Transfer? {
        guard count.add(1, ordering: .relaxed).newValue <= max else {
            count.subtract(1, ordering: .relaxed)
            return nil
        }
        return Transfer(self)
    }

    final class Transfer: Sendable {
        private let owner: TransferCount
        private let isOver = Atomic<Bool>(false)

        fileprivate init(_ owner: TransferCount) {
            self.owner = owner
        }

        deinit { end() }

        func end() {
            if !isOver.exchange(true, ordering: .relaxed) { owner.count.subtract(1, ordering: .relaxed) }
        }
    }
}
