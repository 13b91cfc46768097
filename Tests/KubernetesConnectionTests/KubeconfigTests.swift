import Foundation
import KubernetesConnection
import ServiceKit
import TestSupport
import Testing

@Suite struct KubeconfigTests {
    private static let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    private static let key = "-----BEGIN PRIVATE KEY-----\nS3CR3T\n-----END PRIVATE KEY-----\n"

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    /// What a kubeconfig comes to, or its faults, one a line, with `FOLDER` for the folder that it is in.
    private func read(
        _ text: String, files: [String: String] = [:], arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> Result<KubernetesAccess?, Faults> {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        for (name, content) in files { try content.write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8) }
        var arguments = arguments.map { $0.replacing("FOLDER", with: folder.path) }
        if !text.isEmpty {
            try text.write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
            arguments += ["--kubeconfig", folder.path + "/config"]
        }
        let configuration = try SettingTable(KubernetesSettings.all).configuration(arguments: arguments)
        do {
            return .success(
                try KubernetesSettings.access(configuration, environment: environment, serviceAccountFolder: folder.path + "/account"))
        } catch {
            return .failure(Faults(text: error.description.replacing(folder.path, with: "FOLDER")))
        }
    }

    struct Faults: Error, Equatable { var text: String }

    private func config(cluster: String = "{server: 'https://kube.example:6443'}", user: String = "{}") -> String {
        """
        current-context: a
        contexts:
        - {name: a, context: {cluster: c, user: u, namespace: n}}
        - {name: b, context: {cluster: c, user: other}}
        clusters:
        - {name: c, cluster: \(cluster)}
        users:
        - {name: u, user: \(user)}
        """
    }

    @Test func aUserWithATokenFile() throws {
        let access = try read(
            config(
                cluster: "{server: 'https://Kube.example:6443/k8s/', certificate-authority: ca.pem, tls-server-name: inside.example}",
                user: "{tokenFile: token, exec: null}"), files: ["ca.pem": Self.certificate, "token": "t"]
        ).get()
        #expect(access?.server.description == "https://kube.example:6443/k8s")
        #expect(access?.tlsServerName == "inside.example")
        guard case .file(let authority) = access?.authorities, case .tokenFile(let token) = access?.login else {
            Issue.record("\(String(describing: access))")
            return
        }
        #expect(authority.hasSuffix("/ca.pem") && authority.hasPrefix("/"))
        #expect(token.hasSuffix("/token") && token.hasPrefix("/"))
    }

    @Test func certificatesAndKeysInTheFile() throws {
        let user = "{client-certificate-data: \(Self.base64(Self.certificate)), client-key-data: \(Self.base64(Self.key))}"
        let access = try read(
            config(cluster: "{server: 'https://[::1]:6443', certificate-authority-data: \(Self.base64(Self.certificate))}", user: user)
        ).get()
        #expect(access?.authorities == .bytes(Array(Self.certificate.utf8)))
        #expect(access?.clientCertificate == .bytes(Array(Self.certificate.utf8)))
        #expect(access?.clientKey == .bytes(Array(Self.key.utf8)))
        #expect(access?.login == .anonymous)
        #expect(!"\(String(describing: access))".contains("S3CR3T"))
    }

    @Test(
        arguments: [
            ("{exec: {command: aws, apiVersion: v1}}", "users[u].user.exec: runs a program, which is not supported"),
            ("{auth-provider: {name: gcp}}", "users[u].user.auth-provider: is not supported"),
            ("{username: admin, password: S3CR3T}", "users[u].user.username: is not supported"),
            ("{username: admin, password: S3CR3T}", "users[u].user.password: is not supported"),
            ("{as: root, token: S3CR3T}", "users[u].user.as: is not supported"),
            ("{tokenFile: none}", "users[u].user.tokenFile: FOLDER/none: No such file or directory"),
            ("{token: [S3CR3T]}", "users[u].user.token: has to be one value"),
            ("{token: 'S3CR3T S3CR3T'}", "users[u].user.token: has characters that no token has"),
            ("{client-certificate-data: '%S3CR3T%'}", "users[u].user.client-key: is needed beside client-certificate"),
            ("{client-key: none}", "users[u].user.client-key: FOLDER/none: No such file or directory"),
            ("{client-key-data: UzNDUjNU}", "users[u].user.client-key-data: has no private key in PEM"),
            ("{client-key-data: UzNDUjNU}", "users[u].user.client-certificate: is needed beside client-key"),
        ])
    func usersThatAreRefused(user: String, fault: String) throws {
        let result = try read(config(user: user))
        guard case .failure(let faults) = result else {
            Issue.record("\(user) was taken")
            return
        }
        #expect(faults.text.contains(fault), "\(faults.text)")
        #expect(faults.text.hasPrefix("FOLDER/config:"), "\(faults.text)")
        #expect(!faults.text.contains("S3CR3T"), "\(faults.text)")
    }

    @Test(
        arguments: [
            ("{}", "clusters[c].cluster.server: is needed"),
            ("{server: 'kube.example:6443'}", "clusters[c].cluster.server: is no base URL"),
            ("{server: 'https://a', insecure-skip-tls-verify: true}", "clusters[c].cluster.insecure-skip-tls-verify: is not supported"),
            ("{server: 'https://a', proxy-url: 'http://b'}", "clusters[c].cluster.proxy-url: is not supported"),
            ("{server: 'https://a', tls-server-name: 'a b'}", "clusters[c].cluster.tls-server-name: is no host name"),
            ("{server: 'https://a', certificate-authority-data: AAAA}", "clusters[c].cluster.certificate-authority-data: has no"),
            ("{server: 'https://a', certificate-authority: ca}", "clusters[c].cluster.certificate-authority: FOLDER/ca: has no"),
        ])
    func clustersThatAreRefused(cluster: String, fault: String) throws {
        let result = try read(config(cluster: cluster), files: ["ca": "nothing"])
        guard case .failure(let faults) = result else {
            Issue.record("\(cluster) was taken")
            return
        }
        #expect(faults.text.contains(fault), "\(faults.text)")
    }

    @Test func filesThatAreNone() throws {
        func faults(_ text: String, _ arguments: [String] = []) throws -> String {
            guard case .failure(let faults) = try read(text, arguments: arguments) else { return "taken" }
            return faults.text
        }
        #expect(try faults("- a") == "FOLDER/config: is no kubeconfig: it has to be a mapping")
        let broken = try faults("users:\n- {name: u, user: {token: S3CR3T}\nx: [")
        #expect(broken.contains("is not YAML that can be read") && !broken.contains("S3CR3T"), "\(broken)")
        #expect(try faults("clusters: []").contains("current-context: is missing; name one with --kube-context"))
        #expect(
            try faults(config(), ["--kube-context", "x"]).contains(
                "contexts: has no entry \"x\", which --kube-context names; there are: a, b"))
        #expect(
            try faults(config(), ["--kube-context", "b"]).contains(
                "users: has no entry \"other\", which contexts[b].context.user names; there are: u"))
        #expect(try faults("", ["--kubeconfig", "FOLDER/none"]) == "FOLDER/none: No such file or directory")
        #expect(try faults("", ["--kube-context", "a"]) == "--kube-context: needs --kubeconfig too")
        #expect(try faults(config(), ["--kubernetes", "off"]).contains("--kubernetes: does not go with --kubeconfig"))
    }

    @Test func aPodHasItsServiceAccount() throws {
        let account = try TemporaryDirectory()
        defer { account.remove() }
        let inPod = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
        func access(_ mode: [String], _ environment: [String: String]) throws -> KubernetesAccess? {
            let configuration = try SettingTable(KubernetesSettings.all).configuration(arguments: mode)
            return try KubernetesSettings.access(configuration, environment: environment, serviceAccountFolder: account.path)
        }
        #expect(try access([], inPod) == nil, "a pod whose account is not mounted")
        let missing = #expect(throws: ConfigurationFaults.self) { try access(["--kubernetes", "in-cluster"], inPod) }
        #expect(missing?.description.contains("\(account.path)/token: No such file") == true, "\(String(describing: missing))")
        try "t".write(toFile: account.path + "/token", atomically: true, encoding: .utf8)
        try Self.certificate.write(toFile: account.path + "/ca.crt", atomically: true, encoding: .utf8)
        let found = try access([], inPod)
        #expect(found?.server.description == "https://[fd00::1]:443")
        #expect(found?.login == .tokenFile(account.path + "/token"))
        #expect(found?.authorities == .file(account.path + "/ca.crt"))
        #expect(try access(["--kubernetes", "off"], inPod) == nil)
        #expect(try access([], [:]) == nil)
        let outside = #expect(throws: ConfigurationFaults.self) { try access(["--kubernetes", "in-cluster"], [:]) }
        #expect(outside?.description.contains("does not run in a pod") == true)
    }
}
