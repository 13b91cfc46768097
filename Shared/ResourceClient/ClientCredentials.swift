import Glibc
import Synchronization

/// What a client presents to the server.
public enum ClientCredentials: Sendable {
    case anonymous
    /// A bearer token that never changes.
    case token(String)
    /// A file whose first line is a bearer token; read again as it changes, as Kubernetes rotates a service account's.
    case tokenFile(TokenFile)
    /// Asked before every request for the whole value of `Authorization`.
    case provider(@Sendable () async throws -> String)

    /// A token file by its path.
    public static func tokenFile(path: String) -> ClientCredentials { .tokenFile(TokenFile(path: path)) }

    func authorization() async throws(ResourceClientError) -> String? {
        switch self {
        case .anonymous: return nil
        case .token(let token): return "Bearer \(token)"
        case .tokenFile(let file): return "Bearer \(try file.token())"
        case .provider(let provide):
            do {
                return try await provide()
            } catch {
                throw .notSent("no credentials: \(error)")
            }
        }
    }

    /// The server did not accept them: whatever is remembered may be stale. Whether asking again may help.
    func forget() -> Bool {
        guard case .tokenFile(let file) = self else { return false }
        file.forget()
        return true
    }
}

/// A bearer token in a file, remembered for `rememberedSeconds`.
public final class TokenFile: Sendable {
    public static let bytesMax = 64 << 10
    public static let rememberedSeconds = 10.0

    public let path: String
    private let remembered = Mutex<(token: String, until: ContinuousClock.Instant)?>(nil)

    public init(path: String) {
        self.path = path
    }

    func token() throws(ResourceClientError) -> String {
        if let known = remembered.withLock({ $0 }), known.until > .now { return known.token }
        let token = try read()
        remembered.withLock { $0 = (token, .now + .seconds(Self.rememberedSeconds)) }
        return token
    }

    func forget() {
        remembered.withLock { $0 = nil }
    }

    private func read() throws(ResourceClientError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .notSent("token file \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw .notSent("token file \(path): \(String(cString: strerror(errno)))") }
        let line = bytes[..<count].prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty, line.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .notSent("token file \(path): its first line is not a token")
        }
        return String(decoding: line, as: UTF8.self)
    }
}
