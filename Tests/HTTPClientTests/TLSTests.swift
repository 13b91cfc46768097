import Foundation
import HTTPClient
import Testing

/// Certificates made for one test, and OpenSSL's own server to show them.
private final class OpenSSLServer {
    static let program = "/usr/bin/openssl"

    let folder: String
    private let process = Process()
    private(set) var port = 0

    init(isClientAsked: Bool) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            throw TestFailure("\(Self.program) is missing; scripts/test --tools installs it")
        }
        folder = NSTemporaryDirectory() + "tls-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try makeCertificates()
        var arguments = ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "server.pem", "-key", "server.key"]
        if isClientAsked { arguments += ["-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error"] }
        try start(arguments)
    }

    func file(_ name: String) -> String { "\(folder)/\(name)" }

    func stop() {
        // Started from a thread of the pool it has inherited a mask that blocks SIGTERM.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func makeCertificates() throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        try openssl(["req", "-x509"] + key + ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA"])
        for (name, alternative) in [("server", "IP:127.0.0.1,DNS:inside.example"), ("client", "DNS:client")] {
            let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=\(alternative)"]
            try openssl(["req", "-x509"] + key + signed + ["-keyout", "\(name).key", "-out", "\(name).pem", "-subj", "/CN=\(name)"])
        }
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        configure(process, arguments)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw TestFailure("openssl \(arguments.joined(separator: " ")) failed") }
    }

    /// Reads the port from `ACCEPT 127.0.0.1:40123`.
    private func start(_ arguments: [String]) throws {
        let output = Pipe()
        configure(process, arguments)
        process.standardOutput = output
        try process.run()
        var text = ""
        while port == 0 {
            let bytes = output.fileHandleForReading.availableData
            if bytes.isEmpty { throw TestFailure("openssl s_server ended: \(text)") }
            text += String(decoding: bytes, as: UTF8.self)
            let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first { $0.hasPrefix("ACCEPT ") }
            port = line?.split(separator: ":").last.flatMap { Int($0) } ?? 0
        }
    }

    private func configure(_ process: Process, _ arguments: [String]) {
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
    }
}

extension HTTPClientSuite {
    @Suite("TLS")
    struct TLSTests {
        private func ask(_ server: OpenSSLServer, host: String = "127.0.0.1", _ configuration: HTTPClientConfiguration) async throws
            -> HTTPClientError?
        {
            try await withClient(configuration) { (client) async throws in
                await client.failure(ClientRequest(url: "https://\(host):\(server.port)/", timeoutSeconds: 10))
            }
        }

        @Test func aServerIsTrustedByTheGivenCertificatesAlone() async throws {
            let server = try OpenSSLServer(isClientAsked: false)
            defer { server.stop() }
            #expect(try await ask(server, HTTPClientConfiguration(caFile: server.file("ca.pem"))) == nil)
            let untrusted = try await ask(server, HTTPClientConfiguration())
            guard case .connectFailed(_, neverSent: true) = untrusted else { throw TestFailure("\(String(describing: untrusted))") }
            let misnamed = try await ask(server, host: "localhost", HTTPClientConfiguration(caFile: server.file("ca.pem")))
            guard case .connectFailed(_, neverSent: true) = misnamed else { throw TestFailure("\(String(describing: misnamed))") }
            let missing = try await ask(server, HTTPClientConfiguration(caFile: server.file("none.pem")))
            #expect(missing?.provablyNotSent == true)
        }

        @Test func aClientShowsItsCertificate() async throws {
            let server = try OpenSSLServer(isClientAsked: true)
            defer { server.stop() }
            let known = HTTPClientConfiguration(
                caFile: server.file("ca.pem"), clientCertificateFile: server.file("client.pem"), clientKeyFile: server.file("client.key"))
            #expect(try await ask(server, known) == nil)
            #expect(try await ask(server, HTTPClientConfiguration(caFile: server.file("ca.pem"))) != nil)
        }

        @Test func keysMayComeFromMemory() async throws {
            let server = try OpenSSLServer(isClientAsked: true)
            defer { server.stop() }
            let files = try ["ca.pem", "client.pem", "client.key"].map { name in
                try MemoryFile([UInt8](try Data(contentsOf: URL(fileURLWithPath: server.file(name)))))
            }
            let known = HTTPClientConfiguration(
                caFile: files[0].path, clientCertificateFile: files[1].path, clientKeyFile: files[2].path)
            // One connection after the other, each reading the files from their beginning.
            for _ in 0..<2 { #expect(try await ask(server, known) == nil) }
        }

        @Test func aServerMayHaveAnotherNameThanItsAddress() async throws {
            let server = try OpenSSLServer(isClientAsked: false)
            defer { server.stop() }
            func answer(_ name: String) async throws -> HTTPClientError? {
                try await ask(server, HTTPClientConfiguration(caFile: server.file("ca.pem"), tlsServerName: name))
            }
            #expect(try await answer("inside.example") == nil)
            guard case .connectFailed(_, neverSent: true) = try await answer("outside.example") else {
                throw TestFailure("a server was taken for another")
            }
        }
    }
}
