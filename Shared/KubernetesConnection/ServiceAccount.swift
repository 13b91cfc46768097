import ServiceKit

/// The account that Kubernetes gives to a pod.
///
/// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
public enum ServiceAccount {
    public static let folder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Whether this process runs in a pod that was given a token.
    static func isThere(environment: [String: String], folder: String) -> Bool {
        guard environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false else { return false }
        do throws(FileReadFault) {
            _ = try FileReader.read(folder + "/token", bytesMax: PEM.bytesMax)
            return true
        } catch {
            return false  // a pod whose account is not mounted
        }
    }

    static func access(
        environment: [String: String], folder: String, origin: ConfigurationFault.Origin
    ) throws(ConfigurationFaults) -> KubernetesAccess {
        var faults: [ConfigurationFault] = []
        let host = environment["KUBERNETES_SERVICE_HOST"] ?? ""
        let port = environment["KUBERNETES_SERVICE_PORT"] ?? ""
        let server = HTTPURL("https://\(host.contains(":") ? "[\(host)]" : host):\(port)")
        if host.isEmpty {
            faults.append(ConfigurationFault(origin, "in-cluster needs KUBERNETES_SERVICE_HOST: this process does not run in a pod"))
        } else if server == nil {
            let message = "KUBERNETES_SERVICE_HOST \"\(host)\" and KUBERNETES_SERVICE_PORT \"\(port)\" make no address"
            faults.append(ConfigurationFault(origin, message))
        }
        let (authority, token) = (folder + "/ca.crt", folder + "/token")
        if let fault = PEM.certificates.fault(ofFile: authority) {
            faults.append(ConfigurationFault(.file(path: authority, line: nil, key: nil), fault))
        }
        do throws(FileReadFault) {
            _ = try FileReader.read(token, bytesMax: PEM.bytesMax)
        } catch {
            faults.append(ConfigurationFault(.file(path: token, line: nil, key: nil), error.message))
        }
        guard faults.isEmpty, let server else { throw ConfigurationFaults(faults) }
        var access = KubernetesAccess(server: server, origin: "the pod's service account")
        access.authorities = .file(authority)
        access.login = .tokenFile(token)
        return access
    }
}
