/// One setting of a service: declared once, it is a flag, an environment variable, a YAML key, a line of `--help` and a typed value.
///
/// `--diagnosis-ttl` is `KUBEDIAG_DIAGNOSIS_TTL` and `diagnosisTtl`. A setting whose type is optional may stay unset.
public struct Setting<Value: SettingValue>: Sendable {
    public let definition: SettingDefinition

    /// - Parameters:
    ///   - name: the flag without its dashes: lower case, words between dashes.
    ///   - defaultValue: nil for a setting that has to be given.
    ///   - placeholder: what `--help` shows for the value, unless the type's own says enough.
    ///   - help: one sentence in lower case, without a full stop.
    ///   - isSecretFile: the value is the path of a file with a secret; only the path is ever printed.
    ///   - validate: what is wrong with a value, as a sentence behind the setting's name; nil when nothing is.
    public init(
        _ name: String, default defaultValue: Value?, placeholder: String? = nil, help: String, isSecretFile: Bool = false,
        validate: (@Sendable (Value) -> String?)? = nil
    ) {
        definition = SettingDefinition(
            name: name, placeholder: placeholder ?? Value.placeholder, help: help, isSwitch: Value.self == Bool.self, isList: Value.isList,
            isRequired: defaultValue == nil, isSecretFile: isSecretFile, defaultValue: defaultValue,
            defaultText: defaultValue?.settingText ?? "",
            parse: { texts throws(SettingSyntaxFault) in
                let value = try Value.parse(texts)
                if let fault = validate?(value) { throw SettingSyntaxFault(fault) }
                return value
            })
    }

    public var name: String { definition.name }
}

extension Setting where Value == Int {
    /// A whole number within `range`.
    public init(_ name: String, default defaultValue: Int?, in range: ClosedRange<Int>, placeholder: String? = nil, help: String) {
        self.init(name, default: defaultValue, placeholder: placeholder, help: help) { value in
            range.contains(value) ? nil : "\(value) is out of range: from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}

/// A setting without its type: what the parser and `--help` need.
public struct SettingDefinition: Sendable {
    public let name: String
    public let placeholder: String
    public let help: String
    public let isSwitch: Bool
    public let isList: Bool
    public let isRequired: Bool
    public let isSecretFile: Bool
    let defaultValue: (any Sendable)?
    public let defaultText: String
    let parse: @Sendable ([String]) throws(SettingSyntaxFault) -> any Sendable

    public var flag: String { "--\(name)" }

    public var environmentName: String { "KUBEDIAG_" + name.uppercased().replacing("-", with: "_") }

    /// The flag's words in camel case.
    public var yamlKey: String {
        let words = name.split(separator: "-")
        return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
}
