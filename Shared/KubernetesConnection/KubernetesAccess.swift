public import ServiceKit

/// How a kube-apiserver is reached and what is shown to it: what a kubeconfig or a pod's service account comes to.
public struct KubernetesAccess: Sendable, Equatable {
    /// PEM, as a file or as it stands in a kubeconfig.
    public enum Material: Sendable, Equatable {
        case file(String)
        case bytes([UInt8])
    }

    public enum Login: Sendable, Equatable {
        case anonymous
        case token(String)
        /// Read again as it changes, and after an answer of 401.
        case tokenFile(String)
    }

    public var server: HTTPURL
    /// Nil trusts the system's authorities.
    public var authorities: Material?
    /// Shown to a server that asks for one; the two come together.
    public var clientCertificate: Material?
    public var clientKey: Material?
    public var login = Login.anonymous
    /// The name in the server's certificate, where it is not the one in its URL.
    public var tlsServerName: String?
    /// Where this was read, for people: `the kubeconfig /etc/kube.conf, context prod`.
    public var origin: String

    public init(server: HTTPURL, origin: String) {
        self.server = server
        self.origin = origin
    }
}

extension KubernetesAccess: CustomStringConvertible {
    /// Without anything secret.
    public var description: String { "\(server) by \(origin)" }
}
