import ArgumentParser
import Foundation
import JSONCoding

/// Prints a kubeconfig for this installation.
///
/// kubectl sends a token over TLS alone, so the server is the trigger-router's TLS port, whose authority `kubediag up` made. The token
/// stays in its file, which kubectl reads at each call: nothing printed here is secret.
struct ConfigKubectlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubectl", abstract: "Print a kubeconfig for this installation.",
        discussion: """
              kubediag config kubectl > kubediag.kubeconfig
              kubectl --kubeconfig kubediag.kubeconfig get diagnoses
            """)

    private static let authorityBytesMax = 256 << 10

    @OptionGroup var connection: ConnectionOptions
    @Option(help: ArgumentHelp("The trigger-router's URL as kubectl is to call it, with https.", valueName: "url")) var tlsServer: String?
    @Option(help: ArgumentHelp("The authority of its certificate, in PEM.", valueName: "file")) var authorityFile: String?

    func run() throws {
        let connection = try connection.open()
        guard let server = tlsServer ?? connection.context?.tlsServer, server.hasPrefix("https://") else {
            throw CommandFailure(
                "where does the trigger-router serve TLS? kubectl sends no token without it",
                hints: ["Give --tls-server https://HOST:PORT; kubediag up serves it at port 8443."], status: .usage)
        }
        guard let tokenFile = connection.tokenFile else {
            throw CommandFailure("which file holds the token?", hints: ["Give --token-file FILE."], status: .usage)
        }
        let authority = try (authorityFile ?? connection.context?.authorityFile).map {
            try FileSystem.read($0, bytesMax: Self.authorityBytesMax)
        }
        Terminal.standardOutput.write(
            Self.kubeconfig(server: server, authority: authority, tokenFile: FileSystem.absolute(tokenFile)))
    }

    /// - Parameter authority: nil where the system's authorities are to be trusted.
    static func kubeconfig(server: String, authority: [UInt8]?, tokenFile: String) -> String {
        let trust = authority.map { "\n      certificate-authority-data: \(Data($0).base64EncodedString())" } ?? ""
        return """
            apiVersion: v1
            kind: Config
            clusters:
              - name: kubediag
                cluster:
                  server: \(quoted(server))\(trust)
            users:
              - name: kubediag
                user:
                  tokenFile: \(quoted(tokenFile))
            contexts:
              - name: kubediag
                context: {cluster: kubediag, user: kubediag, namespace: kubediag}
            current-context: kubediag

            """
    }

    /// JSON's strings are YAML's double-quoted ones.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSON.string(text).encoded(), as: UTF8.self)
    }
}
