/// Reads a configuration from its three sources and collects everything that is wrong.
///
/// A source overrides the ones below it whole: a list on the command line replaces the file's.
struct ConfigurationReader {
    let table: SettingTable
    private(set) var faults: [ConfigurationFault] = []
    private var given: [String: (texts: [String], origin: ConfigurationFault.Origin)] = [:]

    init(table: SettingTable) {
        self.table = table
    }

    /// What the command line asked for.
    enum Outcome {
        case configuration(Configuration)
        case help
        case version
    }

    /// - Parameter arguments: without the program's name.
    static func read(
        table: SettingTable, arguments: [String], environment: [String: String]
    ) throws(ConfigurationFaults) -> Outcome {
        var reader = ConfigurationReader(table: table)
        let flags = reader.takeFlags(arguments)
        if flags.wantsHelp { return .help }
        if flags.wantsVersion { return .version }
        if let path = flags.configurationPath ?? environment["KUBEDIAG_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
            reader.takeFile(path)
        }
        reader.takeEnvironment(environment)
        reader.takeValues(flags.values)
        let configuration = reader.parsed()
        guard reader.faults.isEmpty else { throw ConfigurationFaults(reader.faults) }
        return .configuration(configuration)
    }

    mutating func addFault(_ fault: ConfigurationFault) {
        faults.append(fault)
    }

    private mutating func takeFile(_ path: String) {
        do throws(FileReadFault) {
            let bytes = try FileReader.read(path, bytesMax: ConfigurationFile.bytesMax)
            let file = ConfigurationFile(path: path, bytes: bytes, table: table)
            faults += file.faults
            takeValues(file.values)
        } catch {
            faults.append(ConfigurationFault(.flag("--config"), error.description))
        }
    }

    private mutating func takeEnvironment(_ environment: [String: String]) {
        for definition in table.definitions {
            guard let text = environment[definition.environmentName], !text.isEmpty else { continue }
            given[definition.name] = ([text], .environment(definition.environmentName))
        }
    }

    private mutating func takeValues(_ values: [GivenValue]) {
        var seen: Set<String> = []
        for value in values {
            if !seen.insert(value.definition.name).inserted {
                if value.definition.isList {
                    given[value.definition.name]?.texts += value.texts
                } else {
                    faults.append(ConfigurationFault(value.origin, "is given more than once"))
                }
                continue
            }
            given[value.definition.name] = (value.texts, value.origin)
        }
    }

    private mutating func parsed() -> Configuration {
        var values: [String: any Sendable] = [:]
        for definition in table.definitions {
            if let (texts, origin) = given[definition.name] {
                do throws(SettingSyntaxFault) {
                    values[definition.name] = try definition.parse(texts)
                } catch {
                    faults.append(ConfigurationFault(origin, error.message))
                }
            } else if let value = definition.defaultValue {
                values[definition.name] = value
            } else {
                let message =
                    "is needed; give \(definition.flag), \(definition.environmentName) or \(definition.yamlKey) in the --config file"
                faults.append(ConfigurationFault(.setting(definition.flag), message))
            }
        }
        return Configuration(values: values, origins: given.mapValues(\.origin))
    }
}

/// What one source said about one setting.
struct GivenValue {
    let definition: SettingDefinition
    let texts: [String]
    let origin: ConfigurationFault.Origin
}

/// Why a file could not be read: the system's own words behind what was tried.
public struct FileReadFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let path: String
    public let message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}
