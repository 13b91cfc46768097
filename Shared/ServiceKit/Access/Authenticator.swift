import Digests
import HTTPMessage
import Logging
import Model
import Synchronization

/// Finds out who sent a request, by its bearer token (RFC 6750).
///
/// The token file is looked at again at most once a second, when a request comes; one that has become unreadable or wrong leaves the tokens
/// of before in force and is logged once.
public final class Authenticator: Sendable {
    private struct State {
        var table: TokenTable
        var stamp: SecretFile.Stamp?
        var lastFault: String?
        var checkedAt: ContinuousClock.Instant
    }

    private static let checkInterval = Duration.seconds(1)

    private let file: SecretFile?
    private let logger: Logger
    private let state: Mutex<State>

    /// Accepts no token at all: every route but health is refused.
    public init(logger: Logger) {
        file = nil
        self.logger = logger
        state = Mutex(State(table: TokenTable(), checkedAt: .now))
    }

    /// Accepts the tokens of the file at `path`. Throws what is wrong with the file.
    public init(tokenFile path: String, logger: Logger) throws(TokenFileFault) {
        let file = SecretFile(path: path, bytesMax: TokenTable.fileBytesMax)
        let (table, stamp) = try Self.load(file)
        self.file = file
        self.logger = logger
        state = Mutex(State(table: table, stamp: stamp, checkedAt: .now))
    }

    /// Accepts the tokens of a token file's text, which never changes: for a process that keeps its tokens elsewhere.
    public init(tokens text: String, logger: Logger) throws(TokenFileFault) {
        file = nil
        self.logger = logger
        state = Mutex(State(table: try TokenTable(parsing: text), checkedAt: .now))
    }

    /// Whom the request's `Authorization: Bearer` proves.
    ///
    /// Throws a 401 `Unauthorized` that does not tell a missing token from a wrong one any further than the caller can see himself.
    public func authenticate(_ headers: Headers) throws(APIError) -> Caller {
        guard let field = headers["Authorization"] else {
            throw .unauthorized("this route needs a token: send Authorization: Bearer TOKEN")
        }
        var text = field
        let digest = text.withUTF8 { text in Self.bearerToken(text).map { Digest.sha256($0) } }
        guard let digest else {
            throw .unauthorized("the Authorization field has to be: Bearer TOKEN")
        }
        guard let caller = currentTable().caller(ofTokenDigest: digest) else {
            throw .unauthorized("the token is not one that this process accepts")
        }
        return caller
    }

    private static let scheme: StaticString = "bearer "

    /// The bytes behind `Bearer` and its spaces; the scheme is compared without regard to case (RFC 9110, 11.1).
    private static func bearerToken(_ field: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        let length = scheme.utf8CodeUnitCount
        guard field.count > length, field.count <= TokenTable.tokenBytesMax + 16 else { return nil }
        for index in 0..<length where field[index] | 0x20 != scheme.utf8Start[index] { return nil }
        var start = length
        while start < field.count, field[start] == UInt8(ascii: " ") { start += 1 }
        return UnsafeBufferPointer(rebasing: field[start...])
    }

    private func currentTable() -> TokenTable {
        guard let file else { return state.withLock { $0.table } }
        let now = ContinuousClock.now
        return state.withLock { state in
            if now - state.checkedAt >= Self.checkInterval {
                state.checkedAt = now
                refresh(file, &state)
            }
            return state.table
        }
    }

    private func refresh(_ file: SecretFile, _ state: inout State) {
        do {
            guard try file.stamp() != state.stamp else { return }
            (state.table, state.stamp) = try Self.load(file)
            state.lastFault = nil
            logger.info("token file read again", metadata: ["path": "\(file.path)", "accepted": .stringConvertible(state.table.count)])
        } catch {
            let fault = String(describing: error)
            guard fault != state.lastFault else { return }
            state.lastFault = fault
            logger.error(
                "token file can't be used; the tokens of before stay in force", metadata: ["path": "\(file.path)", "fault": "\(fault)"])
        }
    }

    private static func load(_ file: SecretFile) throws(TokenFileFault) -> (TokenTable, SecretFile.Stamp) {
        let text: String
        let stamp: SecretFile.Stamp
        do throws(FileReadFault) {
            (text, stamp) = try file.read()
        } catch {
            throw TokenFileFault(messages: [error.message])
        }
        return (try TokenTable(parsing: text), stamp)
    }
}
