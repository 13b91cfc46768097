import Foundation
import ServiceKit
import Yams

/// A kubeconfig file, of which one context is used: its cluster's and its user's entry.
///
/// What would change who we are or whom we trust and is not supported (`exec`, `auth-provider`, a user's name and password, impersonation,
/// `proxy-url`, `insecure-skip-tls-verify`) is a fault, never passed over; fields that do neither are. Relative paths begin at the file's folder.
///
/// https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
struct Kubeconfig {
    static let bytesMax = 1 << 20

    private let path: String
    private var faults: [ConfigurationFault] = []

    private init(path: String) {
        self.path = path
    }

    /// - Throws: every fault that the context's entries have, each with its field; no value of a field that may be secret is shown.
    static func access(path: String, context: String?) throws(ConfigurationFaults) -> KubernetesAccess {
        var reader = Kubeconfig(path: path)
        let access = reader.read(context: context)
        guard let access, reader.faults.isEmpty else { throw ConfigurationFaults(reader.faults) }
        return access
    }

    private mutating func read(context asked: String?) -> KubernetesAccess? {
        guard let root = document() else { return nil }
        guard let name = asked ?? text(root, "current-context", at: ""), !name.isEmpty else {
            add("current-context", "is missing; name one with --kube-context\(choice(root, "contexts"))", root)
            return nil
        }
        let askedBy = asked == nil ? "current-context" : "--kube-context"
        guard let context = entry(name, in: root, list: "contexts", body: "context", askedBy: askedBy) else { return nil }
        let place = "contexts[\(name)].context"
        guard let cluster = required(context, "cluster", at: place) else { return nil }
        let user = text(context, "user", at: place) ?? ""
        let clusterEntry = entry(cluster, in: root, list: "clusters", body: "cluster", askedBy: place + ".cluster")
        var access = clusterEntry.flatMap { readCluster($0, at: "clusters[\(cluster)].cluster", context: name) }
        // A context without a user is an anonymous one.
        guard !user.isEmpty, let entry = entry(user, in: root, list: "users", body: "user", askedBy: place + ".user") else { return access }
        readUser(entry, at: "users[\(user)].user", into: &access)
        return access
    }

    // MARK: Entries

    private mutating func readCluster(_ cluster: Node, at place: String, context: String) -> KubernetesAccess? {
        if text(cluster, "insecure-skip-tls-verify", at: place) == "true" {
            let message = "is not supported: give certificate-authority, and tls-server-name where the certificate has another name"
            add(place + ".insecure-skip-tls-verify", message, cluster["insecure-skip-tls-verify"])
        }
        if let proxy = text(cluster, "proxy-url", at: place), !proxy.isEmpty {
            add(place + ".proxy-url", "is not supported: the server has to be reached without a proxy", cluster["proxy-url"])
        }
        let authorities = material(cluster, "certificate-authority", .certificates, at: place)
        let name = text(cluster, "tls-server-name", at: place) ?? ""
        if !name.isEmpty, HostPort(name, defaultPort: 443)?.host != name.lowercased() {
            add(place + ".tls-server-name", "is no host name", cluster["tls-server-name"])
        }
        guard let given = required(cluster, "server", at: place) else { return nil }
        guard let server = HTTPURL(given) else {
            add(place + ".server", "is no base URL; one looks like https://10.0.0.1:6443", cluster["server"])
            return nil
        }
        var access = KubernetesAccess(server: server, origin: "the kubeconfig \(path), context \(context)")
        access.authorities = authorities
        access.tlsServerName = name.isEmpty ? nil : name
        return access
    }

    private mutating func readUser(_ user: Node, at place: String, into access: inout KubernetesAccess?) {
        let refused = [
            ("exec", "runs a program, which is not supported: give a token, tokenFile or a client certificate"),
            ("auth-provider", "is not supported: give a token, tokenFile or a client certificate"),
            ("username", "is not supported: give a token, tokenFile or a client certificate"),
            ("password", "is not supported: give a token, tokenFile or a client certificate"),
            ("as", "is not supported: the user itself has to have the rights"),
            ("as-uid", "is not supported: the user itself has to have the rights"),
            ("as-groups", "is not supported: the user itself has to have the rights"),
        ]
        for (field, message) in refused where user[field].map(Self.isGiven) == true { add("\(place).\(field)", message, user[field]) }
        access?.clientCertificate = material(user, "client-certificate", .certificates, at: place)
        access?.clientKey = material(user, "client-key", .privateKey, at: place)
        let (hasCertificate, hasKey) = (isGiven(user, "client-certificate"), isGiven(user, "client-key"))
        if hasCertificate, !hasKey { add(place + ".client-key", "is needed beside client-certificate", user) }
        if hasKey, !hasCertificate { add(place + ".client-certificate", "is needed beside client-key", user) }
        let file = text(user, "tokenFile", at: place) ?? ""
        let token = text(user, "token", at: place) ?? ""
        if !file.isEmpty {
            let file = absolute(file)
            access?.login = .tokenFile(file)
            do throws(FileReadFault) {
                _ = try FileReader.read(file, bytesMax: PEM.bytesMax)
            } catch {
                add(place + ".tokenFile", error.description, user["tokenFile"])
            }
        } else if !token.isEmpty {
            access?.login = .token(token)
            if !token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
                add(place + ".token", "has characters that no token has", user["token"])
            }
        }
    }

    /// PEM from `FIELD-data`, else from the file in `FIELD`.
    private mutating func material(_ entry: Node, _ field: String, _ kind: PEM, at place: String) -> KubernetesAccess.Material? {
        if let data = text(entry, field + "-data", at: place), !data.isEmpty {
            let bytes = Data(base64Encoded: data, options: .ignoreUnknownCharacters).map { [UInt8]($0) }
            if let fault = bytes.map(kind.fault(of:)) ?? "is no base64" { add("\(place).\(field)-data", fault, entry[field + "-data"]) }
            return .bytes(bytes ?? [])
        }
        guard let file = text(entry, field, at: place), !file.isEmpty else { return nil }
        let path = absolute(file)
        if let fault = kind.fault(ofFile: path) { add("\(place).\(field)", "\(path): \(fault)", entry[field]) }
        return .file(path)
    }

    private func absolute(_ file: String) -> String {
        guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
        return path[...slash] + file
    }
}

// MARK: Reading YAML

extension Kubeconfig {
    private mutating func document() -> Node? {
        let bytes: [UInt8]
        do throws(FileReadFault) {
            bytes = try FileReader.read(path, bytesMax: Self.bytesMax)
        } catch {
            faults.append(ConfigurationFault(.file(path: path, line: nil, key: nil), error.message))
            return nil
        }
        do {
            if let root = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)), root.mapping != nil { return root }
            add(nil, "is no kubeconfig: it has to be a mapping", nil)
        } catch let error as YamlError {
            // Its own description quotes the line, and what stands there may be a key.
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
                faults.append(ConfigurationFault(.file(path: path, line: mark.line, key: nil), "is not YAML that can be read: \(problem)"))
            default: add(nil, "is not YAML that can be read", nil)
            }
        } catch {
            add(nil, "is not YAML that can be read", nil)
        }
        return nil
    }

    /// The body of the list's entry of that name.
    private mutating func entry(_ name: String, in root: Node, list: String, body: String, askedBy: String) -> Node? {
        guard let found = root[list]?.sequence?.first(where: { $0["name"]?.scalar?.string == name }) else {
            add(list, "has no entry \"\(name)\", which \(askedBy) names\(choice(root, list))", root[list])
            return nil
        }
        guard let content = found[body], content.mapping != nil else {
            add("\(list)[\(name)].\(body)", "has to be a mapping", found)
            return nil
        }
        return content
    }

    private func choice(_ root: Node, _ list: String) -> String {
        let names = root[list]?.sequence?.compactMap { $0["name"]?.scalar?.string }.prefix(20).joined(separator: ", ") ?? ""
        return names.isEmpty ? "" : "; there are: \(names)"
    }

    private mutating func required(_ entry: Node, _ field: String, at place: String) -> String? {
        if let text = text(entry, field, at: place), !text.isEmpty { return text }
        add("\(place).\(field)", "is needed", entry)
        return nil
    }

    /// A field that holds one value; nil where it is absent or null.
    private mutating func text(_ entry: Node, _ field: String, at place: String) -> String? {
        guard let node = entry[field], Self.isGiven(node) else { return nil }
        guard let scalar = node.scalar else {
            add(place.isEmpty ? field : "\(place).\(field)", "has to be one value", node)
            return nil
        }
        return scalar.string
    }

    private func isGiven(_ entry: Node, _ field: String) -> Bool {
        [field, field + "-data"].contains { entry[$0].map(Self.isGiven) == true }
    }

    /// Neither null, nor an empty text, list or mapping.
    private static func isGiven(_ node: Node) -> Bool {
        switch node {
        case .scalar(let scalar): !scalar.string.isEmpty && node != Node("null", Tag(.null)) && node.null == nil
        case .mapping(let mapping): !mapping.isEmpty
        case .sequence(let sequence): !sequence.isEmpty
        default: true
        }
    }

    private mutating func add(_ field: String?, _ message: String, _ node: Node?) {
        faults.append(ConfigurationFault(.file(path: path, line: node?.mark?.line, key: field), message))
    }
}
