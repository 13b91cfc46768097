import Model
import Yams

/// The YAML file behind `--config`: one mapping whose keys are the settings' names in camel case.
struct ConfigurationFile {
    private(set) var values: [GivenValue] = []
    private(set) var faults: [ConfigurationFault] = []
    private let path: String
    private let table: SettingTable

    static let bytesMax = 1 << 20

    init(path: String, bytes: [UInt8], table: SettingTable) {
        self.path = path
        self.table = table
        guard bytes.count <= Self.bytesMax else {
            addFault("is \(bytes.count) bytes; a configuration has at most \(Self.bytesMax)")
            return
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            addFault("is not UTF-8")
            return
        }
        do {
            guard let root = try Yams.compose(yaml: text) else { return }
            take(root)
        } catch let error as YamlError {
            addFault("is not YAML that can be read: \(error)".split(separator: "\n").joined(separator: " "))
        } catch {
            addFault("is not YAML that can be read: \(error)")
        }
    }

    private mutating func addFault(_ message: String, line: Int? = nil, key: String? = nil) {
        faults.append(ConfigurationFault(.file(path: path, line: line, key: key), message))
    }

    private mutating func take(_ root: Node) {
        guard let mapping = root.mapping else {
            // An empty document is a null scalar.
            if root.scalar?.string.isEmpty != true, root != Node("null", Tag(.null)) {
                addFault("has to be a mapping of settings to values", line: root.mark?.line)
            }
            return
        }
        for (keyNode, value) in mapping {
            let line = keyNode.mark?.line
            guard let key = keyNode.scalar?.string else {
                addFault("has a key that is no text", line: line)
                continue
            }
            guard let definition = table.definitions.first(where: { $0.yamlKey == key }) else {
                let near = NearestName.find(key, among: table.definitions.map(\.yamlKey))
                addFault("is no setting of this program" + (near.map { "; did you mean \($0)?" } ?? " (see --help)"), line: line, key: key)
                continue
            }
            take(value, of: definition, line: line)
        }
    }

    private mutating func take(_ value: Node, of definition: SettingDefinition, line: Int?) {
        let origin = ConfigurationFault.Origin.file(path: path, line: line, key: definition.yamlKey)
        switch value {
        case .scalar(let scalar):
            values.append(GivenValue(definition: definition, texts: [scalar.string], origin: origin))
        case .sequence(let sequence) where definition.isList && sequence.allSatisfy({ $0.scalar != nil }):
            values.append(GivenValue(definition: definition, texts: sequence.compactMap(\.scalar?.string), origin: origin))
        default:
            faults.append(ConfigurationFault(origin, definition.isList ? "has to be a list of texts" : "has to be one value"))
        }
    }
}
