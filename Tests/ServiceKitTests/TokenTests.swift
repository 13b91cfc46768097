import Digests
import HTTPMessage
import Logging
import Model
import Testing

@testable import ServiceKit

@Suite struct TokenTests {
    static let tokens = """
        # who may come in
        admin admin-token-0123456789
        receiver  receiver-token-0123456789   # Alertmanager
        service\tservice-token-0123456789
        agent:web-07 agent-token-0123456789

        """
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    func status(_ authenticator: Authenticator, _ headers: Headers) -> Int {
        do {
            _ = try authenticator.authenticate(headers)
            return 200
        } catch {
            return error.code
        }
    }

    @Test func eachLineProvesItsCaller() throws {
        let authenticator = try Authenticator(tokens: Self.tokens, logger: quiet)
        #expect(try authenticator.authenticate(["Authorization": "Bearer admin-token-0123456789"]) == .admin)
        #expect(try authenticator.authenticate(["authorization": "bearer  receiver-token-0123456789"]) == .receiver)
        #expect(try authenticator.authenticate(["Authorization": "BEARER service-token-0123456789"]) == .service)
        let agent = try authenticator.authenticate(["Authorization": "Bearer agent-token-0123456789"])
        #expect(agent == .agent(node: NodeName("web-07")))
        #expect(agent.description == "agent:web-07")
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Basic admin-token-0123456789", "Beareradmin-token-0123456789", "Bearer admin-token-012345678",
        "Bearer admin-token-01234567890", "Bearer admin-token-0123456789 x", "admin-token-0123456789",
        "Bearer \(String(repeating: "a", count: 4000))",
    ])
    func everythingElseIsRefused(field: String) throws {
        let authenticator = try Authenticator(tokens: Self.tokens, logger: quiet)
        #expect(status(authenticator, ["Authorization": field]) == 401)
    }

    @Test func aDigestStandsForItsTokenButIsNoneItself() throws {
        let digest = "sha256:\(Digest.hex(Digest.sha256("service-token-0123456789")))"
        let authenticator = try Authenticator(tokens: "service \(digest)\n", logger: quiet)
        #expect(try authenticator.authenticate(["Authorization": "Bearer service-token-0123456789"]) == .service)
        #expect(status(authenticator, ["Authorization": "Bearer \(digest)"]) == 401)
        #expect(throws: TokenFileFault.self) { try Authenticator(tokens: "service sha256:abcd\n", logger: quiet) }
    }

    @Test func withoutATokenFileNobodyComesIn() {
        #expect(status(Authenticator(logger: quiet), ["Authorization": "Bearer admin-token-0123456789"]) == 401)
        #expect(status(Authenticator(logger: quiet), [:]) == 401)
    }

    @Test func everyFaultOfAFileIsNamedByLineAndWithoutItsToken() throws {
        let text =
            "root tok-0123456789abcdef\nadmin short\nagent tok-0123456789abcdef\nadmin\nadmin same-0123456789abcdef\nservice same-0123456789abcdef"
        let fault = try #require(throws: TokenFileFault.self) { try Authenticator(tokens: text, logger: quiet) }
        #expect(
            fault.messages == [
                "line 1: the class has to be admin, receiver, service or agent:NODE",
                "line 2: the token has 5 bytes; it needs 16 to 512",
                "line 3: an agent's token is of one node: agent:NODE TOKEN",
                "line 4: has to be CLASS[:NODE] TOKEN",
                "line 6: has the same token as an earlier line, of admin",
            ])
        #expect(!fault.description.contains("0123456789abcdef"))
    }

    @Test(arguments: [0o640, 0o604, 0o666, 0o620])
    func aFileThatOthersMayReadIsAFault(mode: Int) throws {
        let file = try TemporaryFile(Self.tokens, mode: mode)
        let fault = try #require(throws: TokenFileFault.self) { try Authenticator(tokenFile: file.path, logger: quiet) }
        #expect(fault.description.contains("chmod 600"))
        #expect(throws: FileReadFault.self) { try ClientToken(file: file.path, logger: quiet) }
    }

    @Test func aChangedFileIsReadAgainAndABrokenOneLeavesTheTokensOfBefore() async throws {
        let file = try TemporaryFile(Self.tokens)
        let authenticator = try Authenticator(tokenFile: file.path, logger: quiet)
        try file.write("admin another-token-0123456789\n")
        #expect(try await eventually { status(authenticator, ["Authorization": "Bearer another-token-0123456789"]) == 200 })
        #expect(status(authenticator, ["Authorization": "Bearer admin-token-0123456789"]) == 401)

        let log = try LogCapture()
        let watched = try Authenticator(tokenFile: file.path, logger: log.logger)
        try file.write("nonsense\n")
        let wasLogged = try await eventually {
            #expect(status(watched, ["Authorization": "Bearer another-token-0123456789"]) == 200)
            return try log.lines().count == 1
        }
        #expect(wasLogged)
        #expect(try log.lines()[0]["fault"]?.stringValue == "line 1: has to be CLASS[:NODE] TOKEN")
    }

    @Test func theClientTokenFollowsItsFile() async throws {
        let file = try TemporaryFile("first-token-0123456789\n")
        let token = try ClientToken(file: file.path, logger: quiet)
        #expect(token.authorization == "Bearer first-token-0123456789")
        try file.write("second-token-0123456789")
        #expect(try await eventually { token.authorization == "Bearer second-token-0123456789" })
    }

    @Test(arguments: ["", "two words\n", "\u{E9}\u{E9}\u{E9}"])
    func aClientTokenFileHoldsOneToken(text: String) throws {
        let file = try TemporaryFile(text)
        #expect(throws: FileReadFault.self) { try ClientToken(file: file.path, logger: quiet) }
    }
}
