import Foundation
public import ServiceKit

/// The settings that say which Kubernetes cluster a service belongs to.
public enum KubernetesSettings {
    /// Whether to look for a cluster.
    public enum Mode: String, SettingValue, CaseIterable {
        /// The pod's service account where there is one, else none.
        case auto
        /// The pod's service account; that there is none is an error.
        case inCluster = "in-cluster"
        case off

        public static var placeholder: String { "MODE" }

        public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Mode {
            guard let mode = Mode(rawValue: texts[0]) else {
                throw SettingSyntaxFault("\"\(texts[0])\" is none of \(allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return mode
        }

        public var settingText: String { rawValue }
    }

    public static let mode = Setting<Mode>(
        "kubernetes", default: .auto,
        help: "without --kubeconfig, the cluster to ask: auto (of the pod's service account, if any), in-cluster or off")
    public static let kubeconfig = Setting<String?>(
        "kubeconfig", default: .some(nil), placeholder: "PATH", help: "kubeconfig of the cluster to ask about nodes and pods")
    public static let context = Setting<String?>(
        "kube-context", default: .some(nil), placeholder: "NAME", help: "context of the kubeconfig; its current-context otherwise")

    public static var all: [SettingDefinition] { [mode.definition, kubeconfig.definition, context.definition] }

    /// How to reach the cluster; nil where there is none to ask.
    ///
    /// - Parameters:
    ///   - environment: of the process; `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are looked at, `KUBECONFIG` is not.
    ///   - serviceAccountFolder: where a pod finds its token and its cluster's authority.
    /// - Throws: every fault of the settings and of the kubeconfig, each with its file and field; none of them shows a secret.
    public static func access(
        _ configuration: Configuration, environment: [String: String] = ProcessInfo.processInfo.environment,
        serviceAccountFolder: String = ServiceAccount.folder
    ) throws(ConfigurationFaults) -> KubernetesAccess? {
        let mode = configuration[Self.mode]
        if let path = configuration[kubeconfig] {
            if configuration.isGiven(Self.mode), mode != .auto {
                throw fault(configuration.origin(of: Self.mode), "does not go with --kubeconfig: it is one or the other")
            }
            return try Kubeconfig.access(path: path, context: configuration[context])
        }
        if configuration[context] != nil { throw fault(configuration.origin(of: context), "needs --kubeconfig too") }
        switch mode {
        case .off: return nil
        case .auto where !ServiceAccount.isThere(environment: environment, folder: serviceAccountFolder): return nil
        case .auto, .inCluster:
            return try ServiceAccount.access(
                environment: environment, folder: serviceAccountFolder, origin: configuration.origin(of: Self.mode))
        }
    }

    private static func fault(_ origin: ConfigurationFault.Origin, _ message: String) -> ConfigurationFaults {
        ConfigurationFaults([ConfigurationFault(origin, message)])
    }
}
