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
            PrinterColumn(
                "Ready",
                .derived(from: [["status", "conditions"], ["spec", "drain"]]) { values, _ in ready(values[0], drain: values[1]) },
                "Whether its lease is live."),
            PrinterColumn("Address", .path(["spec", "address"]), "Where the scheduler reaches it."),
            PrinterColumn("Version", .path(["status", "version"]), "Its version."),
            PrinterColumn("Running", .path(["status", "running"]), "Jobs that it runs.", type: "integer"),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since its first registration.", type: "date"),
        ])

    private static func ready(_ conditions: JSON?, drain: JSON?) -> String {
        guard case .array(let conditions)? = conditions,
            let ready = conditions.first(where: { $0["type"] == .string("Ready") }),
            case .string(let status)? = ready["status"]
        else { return "Unknown" }
        return drain == .bool(true) ? "\(status),Draining" : status
    }

    public static let specSchema = Schema.object(
        "How the agent is reached. Its registration writes it; what people may want to change is drain.",
        [
            .optional(
                "address",
                .string(
                    "Base URL at which the scheduler reaches the agent, such as http://10.0.0.7:8090. Each registration overwrites it.",
                    max: 512)),
            .optional(
                "aliases",
                .array(
                    """
                    Other names under which targets may mean this node, at most 64: those that --alias adds, its host name, its addresses. An \
                    alert's instance=\"10.0.0.7:9100\" is found through them. Each registration overwrites them.
                    """,
                    of: .string(
                        "Another name of the node.", max: 253), max: 64)),
            .optional(
                "drain",
                .boolean(
                    """
                    True keeps new diagnoses away from the node: they wait in Pending. What runs there goes on. `kubediag agent drain` \
                    sets it.
                    """)),
        ]
    ).named("AgentSpec")

    public static let statusSchema = Schema.object(
        "How the agent stands, as the scheduler knows it.",
        [
            .optional(
                "conditions",
                Condition.list(
                    """
                    Ready is True while the agent's lease is live, that is while its heartbeats come; Reachable, while the scheduler reaches \
                    it; StepLimits, where control groups hold the CPU, memory and processes of its steps: else the message says which they \
                    do not hold, and why.
                    """)),
            .optional(
                "lastHeartbeatTime",
                .time("When the agent was last heard of. Written at most every 30 s, so that it may be that much older than the truth.")),
            .optional("version", .string("The version of the agent's program.", max: 128)),
            .optional("capacity", .integer("How many jobs the agent runs at once at most.")),
            .optional("running", .integer("How many of these slots are taken.")),
            .optional(
                "operations",
                .array(
                    "Names of the operations that are built into the agent.",
                    of: .string(
                        "Name of an operation.", max: 253), max: 1000)),
            .optional(
                "epoch",
                .integer(
                    "Grows by one with each registration of the node. What carries an older one is stale and is refused.", 0...Int64.max)),
            .optional(
                "journalId",
                .string(
                    """
                    The id of the agent's data directory. Another id under the same name is another memory: it takes over only once the \
                    first one's lease has ended.
                    """, max: 128)),
        ]
    ).named("AgentStatus")
}
