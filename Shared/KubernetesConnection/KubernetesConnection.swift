public import HTTPClient
import Logging
public import ResourceClient
public import ServiceKit

/// A client of one kube-apiserver. Making it asks the server nothing; it may come up at any time.
///
/// A token file is read again as it changes and after an answer of 401, whereupon the request is sent once more.
public final class KubernetesConnection: Sendable {
    public let access: KubernetesAccess
    /// For lists, watches and informers.
    public let client: ResourceClient
    private let http: HTTPClient
    /// Keys that came in the kubeconfig, for as long as connections are made.
    private let files: [MemoryFile]

    /// - Throws: `POSIXFailure` where there are no descriptors, threads or memory for it.
    public init(_ access: KubernetesAccess, userAgent: String = "kubediag") throws(POSIXFailure) {
        var files: [MemoryFile] = []
        func path(_ material: KubernetesAccess.Material?) throws(POSIXFailure) -> String? {
            switch material {
            case nil: return nil
            case .file(let path): return path
            case .bytes(let bytes):
                let file = try MemoryFile(bytes)
                files.append(file)
                return file.path
            }
        }
        http = try HTTPClient(
            configuration: HTTPClientConfiguration(
                connectionsPerOriginMax: Self.connectionsMax, connectionsMax: Self.connectionsMax, caFile: try path(access.authorities),
                clientCertificateFile: try path(access.clientCertificate), clientKeyFile: try path(access.clientKey),
                tlsServerName: access.tlsServerName, userAgent: userAgent))
        self.files = files
        self.access = access
        let credentials: ClientCredentials =
            switch access.login {
            case .anonymous: .anonymous
            case .token(let token): .token(token)
            case .tokenFile(let path): .tokenFile(path: path)
            }
        client = ResourceClient(baseURL: "\(access.server)", credentials: credentials, http: http)
    }

    static let connectionsMax = 16

    /// The cluster that a service's settings name; nil where they name none.
    ///
    /// - Throws: `ConfigurationFaults` with everything that is wrong, or `POSIXFailure`.
    public convenience init?(_ context: ServiceContext) throws {
        guard let access = try KubernetesSettings.access(context.configuration) else { return nil }
        try self.init(access, userAgent: "kubediag-\(context.name)")
        context.logger.info("Kubernetes is asked", metadata: ["server": "\(access.server)", "origin": "\(access.origin)"])
    }

    /// Ends what is under way; later requests fail at once.
    public func shutdown() async {
        await http.shutdown()
    }
}
