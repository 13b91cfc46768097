import Logging

/// The settings that every service has.
public enum CommonSettings {
    public static let listen = Setting<String>(
        "listen", default: "127.0.0.1", placeholder: "ADDRESS",
        help: "address to listen on; beyond loopback --token-file has to be given, and the tokens travel in clear")
    public static let portFile = Setting<String?>(
        "port-file", default: .some(nil), placeholder: "FILE", help: "write the port that was bound here, once connections are accepted")
    public static let tlsPort = Setting<Int?>(
        "tls-port", default: .some(nil), placeholder: "PORT",
        help: "serve the same over TLS on this port too, with --tls-cert-file and --tls-key-file; 0 takes a free one"
    ) { port in port.map { (0...65535).contains($0) } ?? true ? nil : "has to be from 0 to 65535" }
    public static let tlsCertificateFile = Setting<String?>(
        "tls-cert-file", default: .some(nil), placeholder: "FILE",
        help: "the certificate that is shown on the TLS port, in PEM, followed by those between it and the root; read at the start")
    public static let tlsKeyFile = Setting<String?>(
        "tls-key-file", default: .some(nil), placeholder: "FILE", help: "its private key, in PEM; mode 0600; read at the start",
        isSecretFile: true)
    public static let tlsPortFile = Setting<String?>(
        "tls-port-file", default: .some(nil), placeholder: "FILE", help: "write the TLS port that was bound here")
    public static let dataDirectory = Setting<String?>(
        "data-dir", default: .some(nil), placeholder: "DIR", help: "where this process keeps what must survive a restart")
    public static let tokenFile = Setting<String?>(
        "token-file", default: .some(nil), placeholder: "FILE",
        help:
            "the bearer tokens that are accepted: lines CLASS[:NODE] TOKEN with class admin, receiver, service or agent:NODE; mode 0600; read again when it changes",
        isSecretFile: true)
    public static let clientTokenFile = Setting<String?>(
        "client-token-file", default: .some(nil), placeholder: "FILE",
        help: "the token that this process presents to the others; mode 0600; read again when it changes", isSecretFile: true)
    public static let allowedHosts = Setting<[String]>(
        "allowed-hosts", default: [], placeholder: "NAME,…",
        help: "further names that a request's Host may say, beside localhost and the address listened on")
    public static let crossOrigins = Setting<[String]>(
        "cors-allowed-origins", default: [], placeholder: "ORIGIN,…",
        help: "origins whose pages may call this process from a browser, such as https://console.example; * allows every one"
    ) { origins in CrossOriginRule.fault(origins) }
    public static let logLevel = Setting<Logger.Level>(
        "log-level", default: .info, help: "the least severe level that is logged: trace, debug, info, notice, warning, error or critical")
    public static let requestsInFlightMax = Setting<Int>(
        "requests-in-flight-max", default: 1024, in: 1...100_000,
        help: "requests handled at once; past it the answer is 503 with Retry-After")
    public static let connectionsMax = Setting<Int>(
        "connections-max", default: 4096, in: 16...100_000, help: "connections held at once; past it new ones are closed")
    public static let requestBodyMax = Setting<ByteCount>(
        "request-body-max", default: .mebibytes(4),
        help: "largest request body, unless the route has a limit of its own; past it the answer is 413")
    public static let requestTimeout = Setting<Duration>(
        "request-timeout", default: .seconds(30),
        help: "time for one request, unless the route has a limit of its own; past it the answer is 504"
    ) { value in
        value >= .seconds(1) && value <= .seconds(3600) ? nil : "has to be between 1s and 1h"
    }

    /// The port setting of a service whose own port is `number`.
    public static func port(default number: Int) -> Setting<Int> {
        Setting<Int>(
            "port", default: number, in: 0...65535, placeholder: "PORT", help: "port to listen on; 0 takes a free one (see --port-file)")
    }

    /// Every common setting, with the service's default port.
    static func definitions(defaultPort: Int) -> [SettingDefinition] {
        [
            listen.definition, port(default: defaultPort).definition, portFile.definition, tlsPort.definition,
            tlsCertificateFile.definition, tlsKeyFile.definition, tlsPortFile.definition, dataDirectory.definition, tokenFile.definition,
            clientTokenFile.definition, allowedHosts.definition, crossOrigins.definition, logLevel.definition,
            requestsInFlightMax.definition,
            connectionsMax.definition, requestBodyMax.definition, requestTimeout.definition,
        ]
    }

    /// What is wrong with the common settings together.
    static func faults(_ configuration: Configuration) -> [ConfigurationFault] {
        var faults: [ConfigurationFault] = []
        let address = configuration[listen]
        switch ListenAddress(address) {
        case nil: faults.append(ConfigurationFault(configuration.origin(of: listen), "\"\(address)\" is no IP address"))
        case .beyondLoopback? where configuration[tokenFile] == nil:
            faults.append(
                ConfigurationFault(
                    configuration.origin(of: listen), "\(address) is beyond loopback; that needs --token-file, or anybody may come in"))
        default: break
        }
        if configuration[tlsPort] != nil {
            for setting in [tlsCertificateFile, tlsKeyFile] where configuration[setting] == nil {
                faults.append(ConfigurationFault(configuration.origin(of: tlsPort), "TLS needs --\(setting.name) too"))
            }
        }
        for host in configuration[allowedHosts] where HostPort(host, defaultPort: 0) == nil {
            faults.append(ConfigurationFault(configuration.origin(of: allowedHosts), "\"\(host)\" is no host name"))
        }
        return faults
    }
}
