import JSONCoding

/// The version of Kubernetes whose conventions clients may count on. Clients choose by it what they ask for.
enum KubernetesVersion {
    /// Not 1.27 or 1.28, with which `kubectl apply` wants protobuf.
    static let text = "v1.32.4+kubediag"

    /// Kubernetes' `version.Info`; the client for Python wants every member.
    static let document: JSON = [
        "major": "1", "minor": "32", "gitVersion": .string(text), "gitCommit": "", "gitTreeState": "clean", "buildDate": "",
        "goVersion": "", "compiler": "swiftc", "platform": "linux",
    ]
}
