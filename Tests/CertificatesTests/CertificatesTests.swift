import Certificates
import Foundation
import HTTPClient
import HTTPMessage
import HTTPServer
import Logging
import TestSupport
import Testing

@Suite struct CertificatesTests {
    private let now = Int64(Date().timeIntervalSince1970)

    private func identities(_ validity: ClosedRange<Int64>? = nil) throws -> (authority: CertificateIdentity, leaf: CertificateIdentity) {
        let authority = try CertificateIdentity.authority(commonName: "a", validity: (now - 60)...(now + 3600), serial: [7])
        let leaf = try authority.leaf(
            commonName: "localhost", names: ["localhost"], addresses: [[127, 0, 0, 1]], validity: validity ?? (now - 60)...(now + 3600),
            serial: [8])
        return (authority, leaf)
    }

    /// What a client that trusts `authority` gets from a server that shows `leaf`.
    private func answer(_ leaf: CertificateIdentity, trusting authority: CertificateIdentity, host: String = "127.0.0.1") async throws
        -> Result<ClientResponse, HTTPClientError>
    {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        try authority.certificatePEM.write(toFile: folder.path + "/ca.pem", atomically: true, encoding: .utf8)
        let router = try Router([Route(.get, "/hello") { _ in .text("hello") }])
        let configuration = ServerConfiguration(tls: TLS(certificateChainPEM: leaf.certificatePEM, privateKeyPEM: leaf.keyPEM))
        let server = HTTPServer(
            configuration: configuration, router: router, hooks: ServerHooks(), logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }
        )
        let port = try server.start().port
        let client = try HTTPClient(configuration: HTTPClientConfiguration(caFile: folder.path + "/ca.pem"))
        let result: Result<ClientResponse, HTTPClientError>
        do throws(HTTPClientError) {
            result = .success(try await client.send(ClientRequest(url: "https://\(host):\(port)/hello")))
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        await server.drain(graceSeconds: 1)
        return result
    }

    @Test func aClientThatTrustsTheAuthorityTrustsTheLeaf() async throws {
        let (authority, leaf) = try identities()
        for host in ["127.0.0.1", "localhost"] {
            #expect(try await answer(leaf, trusting: authority, host: host).get().status == 200, "\(host)")
        }
    }

    @Test func othersAreRefused() async throws {
        let (authority, leaf) = try identities()
        let (stranger, _) = try identities()
        let (mine, expired) = try identities((now - 7200)...(now - 3600))
        let nameless = try authority.leaf(
            commonName: "x", names: ["elsewhere"], addresses: [], validity: (now - 60)...(now + 60), serial: [9])
        for (shown, trusted) in [(leaf, stranger), (expired, mine), (nameless, authority)] {
            guard case .failure(.connectFailed(let why, _)) = try await answer(shown, trusting: trusted) else {
                Issue.record("trusted what is not to be trusted")
                continue
            }
            #expect(why.lowercased().contains("certificate"), "\(why)")
        }
    }

    @Test func certificatesSayWhatTheyAre() throws {
        let (authority, leaf) = try identities((now - 60)...(now + 3600))
        #expect(try CertificateText.validity(ofPEM: leaf.certificatePEM) == (now - 60)...(now + 3600))
        #expect(try CertificateText.isFor("localhost", pem: leaf.certificatePEM))
        #expect(try !CertificateText.isFor("localhost.example", pem: leaf.certificatePEM))
        #expect(authority.keyPEM.hasPrefix("-----BEGIN"))
        #expect(throws: CertificateError.self) { try CertificateText.validity(ofPEM: "nonsense") }
        #expect(throws: CertificateError.self) {
            try CertificateIdentity(certificatePEM: "x", keyPEM: "y").leaf(
                commonName: "l", names: [], addresses: [], validity: 0...1, serial: [1])
        }
    }
}
