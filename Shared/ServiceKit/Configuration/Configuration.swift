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

    func definition(named name: some StringProtocol) -> SettingDefinition? {
        byName[String(name)]
    }

    /// What the user may have meant by `name`, which is no setting.
    func nearMiss(of name: String, among candidates: [String]) -> String? {
        candidates.map { (candidate: $0, distance: EditDistance.between($0, name)) }
            .filter { $0.distance <= max(1, name.count / 4) }
            .min { $0.distance < $1.distance }?.candidate
    }
}
