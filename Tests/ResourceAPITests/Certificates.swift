import Foundation
import HTTPServer
import TestSupport
import Testing

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
