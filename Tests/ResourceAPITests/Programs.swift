import Foundation
import HTTPServer
import Testing

/// What a program printed, and how it ended.
struct ProgramResult: Sendable {
    var status: Int32
    var output: String
    var errors: String
}

/// Runs a program to its end without holding a thread of the pool.
func run(_ path: String, _ arguments: [String], environment: [String: String] = [:], input: String = "") async throws -> ProgramResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
    let ended = AsyncStream<Int32>.makeStream()
    process.terminationHandler = {
        ended.continuation.yield($0.terminationStatus)
        ended.continuation.finish()
    }
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    async let output = text(of: stdout)
    async let errors = text(of: stderr)
    var status: Int32 = -1
    for await value in ended.stream { status = value }
    return ProgramResult(status: status, output: await output, errors: await errors)
}

private func text(of pipe: Pipe) async -> String {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
            continuation.resume(returning: String(decoding: data, as: UTF8.self))
        }
    }
}

/// A key and a certificate for 127.0.0.1 that signs itself, the certificate also in a file.
func selfSigned(certificateFile: String) async throws -> TLS {
    let keyFile = certificateFile + ".key"
    let made = try await run(
        "/usr/bin/openssl",
        [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyFile, "-out", certificateFile,
        ])
    try #require(made.status == 0, "\(made.errors)")
    return TLS(
        certificateChainPEM: try String(contentsOfFile: certificateFile, encoding: .utf8),
        privateKeyPEM: try String(contentsOfFile: keyFile, encoding: .utf8))
}
