/// One step that a diagnosis can take: how it is run, for how long, and what it may change.
public struct OperationSpec: ResourceSpec {
    public struct Status: Codable, Sendable, Hashable {
        public init() {}
    }

    public var processor: Processor
    /// Operations that must have run earlier on every path that reaches this one.
    public var dependences: [String]?
    public var storage: Storage?
    /// Absent means `Mutate`.
    public var effect: Effect?
    public var retry: Retry?
    /// Text handed to scripts as environment variables.
    public var parameters: [String: String]?

    public init(
        processor: Processor, dependences: [String]? = nil, storage: Storage? = nil, effect: Effect? = nil, retry: Retry? = nil,
        parameters: [String: String]? = nil
    ) {
        self.processor = processor
        self.dependences = dependences
        self.storage = storage
        self.effect = effect
        self.retry = retry
        self.parameters = parameters
    }

    public var effectiveEffect: Effect { effect ?? .mutate }
    public var attemptsMax: Int { retry?.maxAttempts ?? 1 }
    public var backoffSeconds: Int { retry?.backoffSeconds ?? 0 }
}

public typealias Operation = Resource<OperationSpec>

/// What an operation may do to the machine it runs on.
public enum Effect: String, Codable, Sendable, CaseIterable {
    case read = "Read"
    case mutate = "Mutate"
    case destroy = "Destroy"
}

/// Exactly one of `httpServer`, `scriptRunner` and `function`; or the first release's flat form of the first.
public struct Processor: Codable, Sendable, Hashable {
    public static let timeoutSecondsDefault = 30

    public var httpServer: HTTPProcessor?
    public var scriptRunner: ScriptProcessor?
    public var function: FunctionProcessor?
    public var timeoutSeconds: Int?
    /// Of a script or a function.
    public var execution: ExecutionSettings?
    /// The flat form of the original's v0.2.
    public var externalIP: String?
    public var externalPort: Int?
    public var path: String?
    public var scheme: String?

    public init(
        httpServer: HTTPProcessor? = nil, scriptRunner: ScriptProcessor? = nil, function: FunctionProcessor? = nil,
        timeoutSeconds: Int? = nil, execution: ExecutionSettings? = nil
    ) {
        self.httpServer = httpServer
        self.scriptRunner = scriptRunner
        self.function = function
        self.timeoutSeconds = timeoutSeconds
        self.execution = execution
    }

    public var effectiveTimeoutSeconds: Int { timeoutSeconds ?? Self.timeoutSecondsDefault }

    /// What is to be run; nil when the processor names nothing, which admission refuses.
    public var action: ProcessorAction? {
        if let scriptRunner { return .script(scriptRunner) }
        if let function { return .function(function) }
        if let httpServer { return .http(httpServer) }
        guard isFlat else { return nil }
        return .http(HTTPProcessor(address: externalIP, port: externalPort, path: path, scheme: scheme))
    }

    var isFlat: Bool { externalIP != nil || externalPort != nil || path != nil || scheme != nil }
}

public enum ProcessorAction: Sendable, Hashable {
    case http(HTTPProcessor)
    case script(ScriptProcessor)
    case function(FunctionProcessor)
}

/// An HTTP processor; without address and port it is the agent's own.
public struct HTTPProcessor: Codable, Sendable, Hashable {
    public var address: String?
    public var port: Int?
    public var path: String?
    public var scheme: String?

    public init(address: String? = nil, port: Int? = nil, path: String? = nil, scheme: String? = nil) {
        self.address = address
        self.port = port
        self.path = path
        self.scheme = scheme
    }
}

public struct ScriptProcessor: Codable, Sendable, Hashable {
    public var script: String
    /// Keys of the context whose values are the positional arguments, in this order.
    public var argKeys: [String]?
    public var operationResultKey: String?

    public init(script: String, argKeys: [String]? = nil, operationResultKey: String? = nil) {
        self.script = script
        self.argKeys = argKeys
        self.operationResultKey = operationResultKey
    }
}

public struct FunctionProcessor: Codable, Sendable, Hashable {
    public var runtime: String
    public var codeSource: [String: String]

    public init(runtime: String, codeSource: [String: String]) {
        self.runtime = runtime
        self.codeSource = codeSource
    }
}

public struct Storage: Codable, Sendable, Hashable {
    public struct HostPath: Codable, Sendable, Hashable {
        public var path: String

        public init(path: String) { self.path = path }
    }

    public var hostPath: HostPath?

    public init(hostPath: HostPath?) { self.hostPath = hostPath }
}

public struct Retry: Codable, Sendable, Hashable {
    public var maxAttempts: Int?
    public var backoffSeconds: Int?

    public init(maxAttempts: Int? = nil, backoffSeconds: Int? = nil) {
        self.maxAttempts = maxAttempts
        self.backoffSeconds = backoffSeconds
    }
}
