import Certificates
import Foundation

extension Cluster {
    /// Makes certificates as `kubediag up` does, and says what the trigger-router is to be started with.
    func makeCertificates() throws -> [String] {
        let now = Int64(Date().timeIntervalSince1970)
        let validity = (now - 60)...(now + 86_400)
        let authority = try CertificateIdentity.authority(commonName: "test", validity: validity, serial: [1])
        let leaf = try authority.leaf(
            commonName: "localhost", names: ["localhost"], addresses: [[127, 0, 0, 1]], validity: validity, serial: [2])
        try write(authority.certificatePEM, to: "ca.pem")
        try write(leaf.certificatePEM, to: "tls.pem")
        try write(leaf.keyPEM, to: "tls.key", mode: 0o600)
        return [
            "--tls-port", "0", "--tls-port-file", path("router.tls"), "--tls-cert-file", path("tls.pem"), "--tls-key-file", path("tls.key"),
        ]
    }

    /// What `kubediag config kubectl` prints for the trigger-router of a cluster that was started with TLS.
    package func kubeconfig() async throws -> String {
        let port = try String(contentsOfFile: path("router.tls"), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        try write(Self.admin, to: "admin.token", mode: 0o600)
        let context = """
            server: "\(url("router"))"
            tokenFile: "\(path("admin.token"))"
            tlsServer: "https://127.0.0.1:\(port)"
            authorityFile: "\(path("ca.pem"))"

            """
        try write(context, to: "context.yaml", mode: 0o600)
        let program = Self.binaries.appendingPathComponent("kubediag").path
        let printed = try await run(program, ["config", "kubectl", "--context", path("context.yaml")])
        guard printed.status == 0 else { throw Failure(description: printed.errors) }
        return printed.output
    }
}
