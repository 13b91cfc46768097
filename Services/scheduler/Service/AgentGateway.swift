import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import SchedulerCore
import ServiceKit

/// The scheduler's side of the agents' API: jobs out, cancels out.
struct AgentGateway: Sendable {
    private let http: HTTPClient
    private let token: ClientToken?

    private static let requestSecondsMax = 10.0
    private static let connectSecondsMax = 3.0

    init(http: HTTPClient, token: ClientToken?) {
        self.http = http
        self.token = token
    }

    func client(_ address: String) -> ServiceClient? {
        HTTPURL(address).map { ServiceClient(http: http, base: $0, token: token) }
    }

    /// PUTs a job; the answer is what the agent's journal holds, as far as that is known.
    func send(_ job: [UInt8], uid: UID, journal: JournalID, to address: String, trace: TraceContext?) async -> DiagnosisMachine.SendResult {
        guard let client = client(address) else { return .neverSent("the agent's address \"\(address)\" is no URL") }
        var request = client.request(.put, Self.path(uid), trace: trace, timeoutSeconds: Self.requestSecondsMax)
        request.connectTimeoutSeconds = Self.connectSecondsMax
        request.headers.set("Content-Type", "application/json")
        request.body = job
        do throws(ServiceCallError) {
            let response = try await client.perform(request)
            return Self.accepted(response, journal: journal)
        } catch {
            return Self.result(of: error)
        }
    }

    /// Whether anybody answers at an agent's address: what a registration alone does not show.
    func probe(_ address: String) async -> AgentShelf.Reachability {
        guard let client = client(address) else { return .unreachable("\"\(address)\" is no URL") }
        var request = client.request(.get, "/healthz", timeoutSeconds: Self.connectSecondsMax)
        request.connectTimeoutSeconds = Self.connectSecondsMax
        do throws(ServiceCallError) {
            _ = try await client.perform(request)
            return .reachable
        } catch {
            if case .refused = error { return .reachable }
            return .unreachable("the scheduler cannot reach \(address): \(error)")
        }
    }

    /// DELETEs an attempt.
    func cancel(_ uid: UID, attempt: Int, at address: String) async -> DiagnosisMachine.CancelResult {
        guard let client = client(address) else { return .failed("the agent's address \"\(address)\" is no URL") }
        let query = Query([Query.Item(name: "dispatchAttempt", value: String(attempt))])
        var request = client.request(.delete, Self.path(uid), query: query, timeoutSeconds: Self.requestSecondsMax)
        request.connectTimeoutSeconds = Self.connectSecondsMax
        do throws(ServiceCallError) {
            let response = try await client.perform(request)
            let receipt = try Self.receipt(response)
            return receipt.state == .cancelled ? .neverRan : .acknowledged
        } catch {
            return .failed(error.description)
        }
    }

    private static func path(_ uid: UID) -> String { "/api/v1/jobs/\(PercentEncoding.encode(uid.rawValue))" }

    private static func receipt(_ response: ClientResponse) throws(ServiceCallError) -> JobReceipt {
        do {
            return try JSON.decode(JobReceipt.self, from: response.body)
        } catch {
            throw .unreadable("answered \(response.status) without a receipt: \(error)")
        }
    }

    private static func accepted(_ response: ClientResponse, journal: JournalID) -> DiagnosisMachine.SendResult {
        do throws(ServiceCallError) {
            let receipt = try receipt(response)
            // Somebody else answers at this address: what the journal we meant holds is not known.
            guard receipt.journalId == journal else { return .ambiguous("another journal answered: \(receipt.journalId)") }
            return receipt.state == .cancelled ? .cancelled : .accepted
        } catch {
            return .ambiguous(error.description)
        }
    }

    private static func result(of error: ServiceCallError) -> DiagnosisMachine.SendResult {
        guard case .refused(let refusal) = error else {
            return error.provablyNotSent ? .neverSent(error.description) : .ambiguous(error.description)
        }
        let text = "the agent answered \(refusal.code) \(refusal.reason): \(refusal.message)"
        switch refusal.code {
        case 409 where refusal.reason == "Cancelled": return .cancelled
        // Not taken, and for a reason that passes: it is busy, drains, has yet to register, or does not know our token.
        case 401, 403, 404, 408, 409, 421, 429, 503:
            return .refused(text, retryAfterSeconds: Double(refusal.retryAfterSeconds ?? 1))
        case 400..<500: return .rejected(Failure(.jobRejected, text))
        default: return .ambiguous(text)
        }
    }
}
