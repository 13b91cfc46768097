import Logging
import Synchronization

/// The token that this process presents to the others: the first line of a file, read again when the file changes.
public final class ClientToken: Sendable {
    private struct State {
        var token: String
        var stamp: SecretFile.Stamp
        var checkedAt: ContinuousClock.Instant
    }

    private static let checkInterval = Duration.seconds(1)

    private let file: SecretFile
    private let logger: Logger
    private let state: Mutex<State>

    /// Throws what is wrong with the file, without its content.
    public init(file path: String, logger: Logger) throws(FileReadFault) {
        file = SecretFile(path: path, bytesMax: 4096)
        self.logger = logger
        let (token, stamp) = try Self.load(file)
        state = Mutex(State(token: token, stamp: stamp, checkedAt: .now))
    }

    /// The value of an `Authorization` field.
    public var authorization: String { "Bearer \(current)" }

    private var current: String {
        let now = ContinuousClock.now
        return state.withLock { state in
            guard now - state.checkedAt >= Self.checkInterval else { return state.token }
            state.checkedAt = now
            do throws(FileReadFault) {
                if try file.stamp() != state.stamp { (state.token, state.stamp) = try Self.load(file) }
            } catch {
                logger.error("client token file can't be used; the token of before is presented", metadata: ["fault": "\(error)"])
            }
            return state.token
        }
    }

    private static func load(_ file: SecretFile) throws(FileReadFault) -> (String, SecretFile.Stamp) {
        let (text, stamp) = try file.read()
        let line = text.split { $0.isNewline }.first.map { $0.split { $0 == " " || $0 == "\t" } } ?? []
        guard line.count == 1, let token = line.first, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw FileReadFault(path: file.path, message: "has to hold one line with one token")
        }
        return (String(token), stamp)
    }
}
