import HTTPServer
import Logging
import Model
import ResourceStore

/// Carries one watch's events from the store to its client.
struct WatchFeed: Sendable {
    let stream: WatchStream
    let lines: WatchLines
    let table: ObjectTable?
    let definition: ResourceDefinition
    /// Seconds after which the watch ends; its client takes it up again where it stood.
    let seconds: Int
    /// Whether the end of the initial state is marked with the annotation that watch-list clients wait for.
    let marksInitialState: Bool
    let logger: Logger

    /// Runs until the time is over, the client has left, the server drains, the store closes, or the store cannot go on, which the client
    /// is told in a last line.
    func run(_ writer: ResponseWriter) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pump(writer) }
            group.addTask { try await Task.sleep(for: .seconds(seconds)) }
            // Whichever is first ends the other, which by then is cancelled and has nothing more to say.
            defer { group.cancelAll() }
            do {
                try await group.next()
            } catch is CancellationError {
                return
            }
        }
    }

    private func pump(_ writer: ResponseWriter) async throws {
        do throws(StoreError) {
            for try await event in stream {
                let line = try lines.line(present(event), table: table)
                do {
                    try await writer.write(line)
                } catch {
                    return  // the client has left or the server drains
                }
            }
        } catch {
            guard !Task.isCancelled else { return }
            let told = APIError(error, definition)
            if let cause = told.cause { logger.error("watch ended", metadata: ["plural": "\(definition.plural)", "cause": "\(cause)"]) }
            try await writer.write(WatchLines.error(told))
        }
    }

    private func present(_ event: WatchEvent) -> WatchEvent {
        guard case .bookmark(let revision, true) = event, !marksInitialState else { return event }
        return .bookmark(revision: revision, endsInitialState: false)
    }
}
