import HTTPClient
import Model
import ResourceClient

/// Follows one diagnosis to its end over watches that may break and be taken up again.
struct DiagnosisFollower: Sendable {
    let connection: Connection
    let namespace: String
    let name: String

    private static let pauseMillis = 500

    /// States of the diagnosis as they come; ends with a terminal one, or when it is deleted. A server that is away is asked again.
    func states() -> AsyncThrowingStream<Diagnosis, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
            let task = Task {
                do {
                    try await follow { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func follow(_ report: (Diagnosis) -> Void) async throws {
        while true {
            let current = try await read()
            report(current)
            if current.status?.phase?.isTerminal == true { return }
            do throws(ResourceClientError) {
                if try await watch(from: current.metadata.resourceVersion, report) { return }
            } catch {
                switch error {
                case .api(let refusal) where refusal.code != 410 && refusal.code < 500:
                    throw ServerRefusal(error: refusal, address: connection.server, tokenFile: connection.tokenFile)
                default: break
                }
            }
            try await Task.sleep(for: .milliseconds(Self.pauseMillis))
        }
    }

    /// The diagnosis as it is; a server that is away for a while is waited for.
    private func read() async throws -> Diagnosis {
        var attemptsLeft = 60
        while true {
            do throws(ResourceClientError) {
                return try await connection.resources.get(Diagnosis.self, namespace: namespace, name: name)
            } catch {
                attemptsLeft -= 1
                switch error {
                case .api(let refusal) where refusal.code == 404:
                    throw try await connection.notFound(Diagnosis.definition, namespace: namespace, name: name)
                case .transport where attemptsLeft > 0: break
                case .api(let refusal) where refusal.code >= 500 && attemptsLeft > 0: break
                default: throw connection.explained(error)
                }
            }
            try await Task.sleep(for: .milliseconds(Self.pauseMillis))
        }
    }

    /// Whether the diagnosis came to its end.
    private func watch(from version: String?, _ report: (Diagnosis) -> Void) async throws(ResourceClientError) -> Bool {
        let selection = ResourceSelection(
            namespace: namespace, fields: FieldSelector(requirements: [.init(field: "metadata.name", value: name)]))
        let events = try await connection.resources.watch(
            Diagnosis.self, selection, from: WatchStart(resourceVersion: version, timeoutSeconds: 300))
        var iterator = events.makeAsyncIterator()
        while let event = try await iterator.next() {
            switch event {
            case .added(let diagnosis), .modified(let diagnosis):
                report(diagnosis)
                if diagnosis.status?.phase?.isTerminal == true { return true }
            case .deleted: return false
            case .bookmark: break
            }
        }
        return false
    }
}
