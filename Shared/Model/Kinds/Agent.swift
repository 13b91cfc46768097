import JSONCoding

/// A node's executor, as it registered itself.
public struct AgentSpec: ResourceSpec {
    /// Base URL at which the scheduler reaches it, such as `http://10.0.0.5:8090`.
    public var address: String?
    /// Other names that targets may use: host name, addresses and what the operator adds.
    public var aliases: [String]?
    /// True keeps new diagnoses away.
    public var drain: Bool?

    public init(address: String? = nil, aliases: [String]? = nil, drain: Bool? = nil) {
        self.address = address
        self.aliases = aliases
        self.drain = drain
    }
}

public typealias Agent = Resource<AgentSpec>

public struct AgentStatus: Codable, Sendable, Hashable {
    public var conditions: [Condition]?
    public var lastHeartbeatTime: Timestamp?
    public var version: String?
    /// Jobs at once at most.
    public var capacity: Int?
    public var running: Int?
    /// Names of the built-in operations.
    public var operations: [String]?
    /// Grows with each registration of this node.
    public var epoch: Int64?
    public var journalId: JournalID?

    public init() {}
}

extension AgentSpec {
    public typealias Status = AgentStatus

    public static let names = ResourceNames(
        kind: "Agent", plural: "agents", shortNames: [], scope: .cluster, description: "A node's executor, as it registered itself.",
        columns: [
            PrinterColumn("Ready", .computed { object, _ in ready(object) }, "Whether its lease is live."),
            PrinterColumn("Address", .path(["spec", "address"]), "Where the scheduler reaches it."),
            PrinterColumn("Version", .path(["status", "version"]), "Its version."),
            PrinterColumn("Running", .path(["status", "running"]), "Jobs that it runs.", type: "integer"),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since its first registration.", type: "date"),
        ])

    private static func ready(_ object: JSON) -> String {
        guard case .array(let conditions)? = object["status"]?["conditions"],
            let ready = conditions.first(where: { $0["type"] == .string("Ready") }),
            case .string(let status)? = ready["status"]
        else { return "Unknown" }
        return object["spec"]?["drain"] == .bool(true) ? "\(status),Draining" : status
    }

    public static let specSchema = Schema.object(
        "How the agent is reached.",
        [
            .optional("address", .string("Base URL at which the scheduler reaches it.", max: 512)),
            .optional("aliases", .array("Other names that targets may use.", of: .string("A name.", max: 253), max: 64)),
            .optional("drain", .boolean("True keeps new diagnoses away.")),
        ])

    public static let statusSchema = Schema.object(
        "How the agent stands.",
        [
            .optional("conditions", Condition.listSchema),
            .optional("lastHeartbeatTime", .time("When it was last heard of, at most 30 s old.")),
            .optional("version", .string("Its version.", max: 128)), .optional("capacity", .integer("Jobs at once at most.")),
            .optional("running", .integer("Jobs that it runs.")),
            .optional("operations", .array("Names of its built-in operations.", of: .string("A name.", max: 253), max: 1000)),
            .optional("epoch", .integer("Grows with each registration of this node.", 0...Int64.max)),
            .optional("journalId", .string("What its data directory calls itself.", max: 128)),
        ])
}
