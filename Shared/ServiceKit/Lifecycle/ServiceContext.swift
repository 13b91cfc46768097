import Logging

/// What a service is built from: its settings, and the things that a process has one of.
public struct ServiceContext: Sendable {
    /// `trigger-router` and so on.
    public let name: String
    public let configuration: Configuration
    public let logger: Logger
    public let metrics: MetricRegistry
    public let health: HealthRegistry
    /// The token to present to other services; nil without `--client-token-file`.
    public let clientToken: ClientToken?

    public init(
        name: String, configuration: Configuration, logger: Logger, metrics: MetricRegistry = MetricRegistry(),
        health: HealthRegistry = HealthRegistry(), clientToken: ClientToken? = nil
    ) {
        self.name = name
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
        self.health = health
        self.clientToken = clientToken
    }

    /// `--data-dir`; a service without one can't keep what it owns. Throws the fault that says so.
    public func requiredDataDirectory() throws(ConfigurationFaults) -> String {
        guard let directory = configuration[CommonSettings.dataDirectory] else {
            let definition = CommonSettings.dataDirectory.definition
            let message = "is needed; give \(definition.flag), \(definition.environmentName) or \(definition.yamlKey) in the --config file"
            throw ConfigurationFaults([ConfigurationFault(.setting(definition.flag), message)])
        }
        return directory
    }
}
