import KafkaClient
import ServiceKit

/// The settings of the Kafka source.
public enum KafkaSettings {
    public static let brokers = Setting<[String]>(
        "kafka-brokers", default: [], placeholder: "HOST:PORT,…", help: "brokers of the Kafka cluster to take messages from; none: no Kafka"
    )
    public static let topics = Setting<[String]>(
        "kafka-topics", default: [], placeholder: "A,B,…",
        help: "topics whose messages ask for diagnoses; one that begins with ^ is a regular expression")
    public static let group = Setting<String>(
        "kafka-group", default: "kubediag", help: "consumer group; the routers of one group share the partitions"
    ) { $0.isEmpty ? "must not be empty" : nil }
    public static let properties = Setting<KafkaProperties>(
        "kafka-config", default: KafkaProperties(), help: "property of librdkafka, such as security.protocol=SASL_SSL; may be repeated")
    public static let propertiesFile = Setting<String?>(
        "kafka-config-file", default: .some(nil), placeholder: "PATH",
        help: "file of such properties, one a line, which nobody else may read: the place for passwords", isSecretFile: true)

    public static var all: [SettingDefinition] {
        [brokers.definition, topics.definition, group.definition, properties.definition, propertiesFile.definition]
    }

    static let fileBytesMax = 256 << 10

    /// What the source is made from; nil where no brokers are given. Throws everything that is wrong at once.
    static func configuration(_ context: ServiceContext) throws(ConfigurationFaults) -> (properties: ConsumerProperties, topics: [String])?
    {
        let given = context.configuration
        let topics = given[Self.topics]
        guard !given[brokers].isEmpty else {
            guard topics.isEmpty else {
                throw ConfigurationFaults([ConfigurationFault(given.origin(of: Self.topics), "needs \(brokers.definition.flag) too")])
            }
            return nil
        }
        var faults: [ConfigurationFault] = []
        if topics.isEmpty { faults.append(ConfigurationFault(given.origin(of: brokers), "needs \(Self.topics.definition.flag) too")) }
        if given[CommonSettings.dataDirectory] == nil {
            let message = "needs --data-dir too: messages that can't be used are kept there"
            faults.append(ConfigurationFault(given.origin(of: brokers), message))
        }
        for item in given[properties].items where KafkaProperties.secrets.contains(item.name) {
            let message = "\(item.name) belongs into \(propertiesFile.definition.flag), where nobody else sees it"
            faults.append(ConfigurationFault(given.origin(of: properties), message))
        }
        let file = read(given[propertiesFile], given, &faults)
        for (setting, items) in [(given.origin(of: propertiesFile), file), (given.origin(of: properties), given[properties].items)] {
            let properties = ConsumerProperties(brokers: [], group: "", others: items)
            faults += properties.faults.map { ConfigurationFault(setting, $0.description) }
        }
        let all = ConsumerProperties(brokers: given[brokers], group: given[group], others: file + given[properties].items)
        if faults.isEmpty {
            do {
                try all.check()
            } catch {
                // What no property says alone, such as a certificate's file that is not there.
                faults.append(ConfigurationFault(given.origin(of: properties), "\(error)"))
            }
        }
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return (all, topics)
    }

    private static func read(
        _ path: String?, _ given: Configuration, _ faults: inout [ConfigurationFault]
    ) -> [(name: String, value: String)] {
        guard let path else { return [] }
        let origin = given.origin(of: propertiesFile)
        do throws(FileReadFault) {
            let text = try SecretFile(path: path, bytesMax: fileBytesMax).read().text
            do throws(SettingSyntaxFault) {
                return try KafkaProperties.parse([text]).items
            } catch {
                faults.append(ConfigurationFault(origin, "\(path): \(error.message)"))
            }
        } catch {
            faults.append(ConfigurationFault(origin, error.description))
        }
        return []
    }
}
