import Model

/// The settings of one process, read once and whole: flags over environment over file over default.
public struct Configuration: Sendable {
    private let values: [String: any Sendable]
    private let origins: [String: ConfigurationFault.Origin]

    init(values: [String: any Sendable], origins: [String: ConfigurationFault.Origin]) {
        self.values = values
        self.origins = origins
    }

    /// The value of a setting of the table that this configuration was read with.
    public subscript<Value: SettingValue>(_ setting: Setting<Value>) -> Value {
        guard let value = values[setting.name] as? Value else {
            preconditionFailure("\(setting.definition.flag) is not in this service's table of settings")
        }
        return value
    }

    /// Whether somebody said it, rather than that it is the default.
    public func isGiven<Value: SettingValue>(_ setting: Setting<Value>) -> Bool {
        origins[setting.name] != nil
    }

    /// Where a fault of `setting` is to be shown: at the flag, variable or file that gave the value.
    public func origin<Value: SettingValue>(of setting: Setting<Value>) -> ConfigurationFault.Origin {
        origins[setting.name] ?? .setting(setting.definition.flag)
    }
}

/// The settings that one service understands.
public struct SettingTable: Sendable {
    public let definitions: [SettingDefinition]
    private let byName: [String: SettingDefinition]

    /// Two settings of one name are our bug.
    public init(_ definitions: [SettingDefinition]) {
        self.definitions = definitions
        byName = Dictionary(uniqueKeysWithValues: definitions.map { ($0.name, $0) })
    }

    /// Reads the command line, the environment and the file that `--config` or `KUBEDIAG_CONFIG` names.
    ///
    /// - Parameter arguments: without the program's name, and without a question for help or the version.
    public func configuration(arguments: [String], environment: [String: String] = [:]) throws(ConfigurationFaults) -> Configuration {
        let outcome = try ConfigurationReader.read(table: self, arguments: arguments, environment: environment)
        guard case .configuration(let configuration) = outcome else {
            throw ConfigurationFaults([ConfigurationFault(.flag("--help"), "is no setting")])
        }
        return configuration
    }

    func definition(named name: some StringProtocol) -> SettingDefinition? {
        byName[String(name)]
    }
}
