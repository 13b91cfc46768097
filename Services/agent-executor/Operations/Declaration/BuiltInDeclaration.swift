public import JSONCoding
public import Model

/// What a built-in operation says of itself.
public struct BuiltInDeclaration: Sendable {
    /// A result that it may leave.
    public struct Result: Sendable {
        public let key: String
        public let schema: Schema

        public init(_ key: String, _ schema: Schema) {
            self.key = key
            self.schema = schema
        }
    }

    /// A program that it runs.
    public struct Tool: Sendable, Hashable {
        public let name: String
        /// Debian's package that has it.
        public let package: String

        public init(_ name: String, package: String) {
            self.name = name
            self.package = package
        }
    }

    /// In lower camel case, the original's where it has the operation; the last part of its path.
    public let name: String
    /// In a sentence, what it does.
    public let summary: String
    /// Of a check: which fault it is that makes it succeed. Nil where it only collects or acts.
    public let succeedsWhen: String?
    public let effect: Effect
    public let parameters: [ParameterDefinition]
    public let results: [Result]
    /// What it needs beside an ordinary user's rights, in words: `root`, `read access to /var/run/docker.sock`.
    public let privileges: [String]
    public let tools: [Tool]
    public let timeoutSeconds: Int

    public static let pathPrefix = "/processor/"

    public init(
        _ name: String, _ summary: String, succeedsWhen: String? = nil, effect: Effect = .read, parameters: [ParameterDefinition] = [],
        results: [Result] = [], privileges: [String] = [], tools: [Tool] = [], timeoutSeconds: Int = Processor.timeoutSecondsDefault
    ) {
        self.name = name
        self.summary = summary
        self.succeedsWhen = succeedsWhen
        self.effect = effect
        self.parameters = parameters
        self.results = succeedsWhen == nil ? results : Self.findingResults(name) + results
        self.privileges = privileges
        self.tools = tools
        self.timeoutSeconds = timeoutSeconds
    }

    public var path: String { Self.pathPrefix + name }

    /// The name of its Operation: `podListCollector` is `pod-list-collector`.
    public var resourceName: String {
        var words = ""
        var wasLower = false
        for character in name {
            if character.isUppercase, wasLower { words += "-" }
            wasLower = !character.isUppercase
            words += character.lowercased()
        }
        return words
    }

    static func summaryKey(_ name: String) -> String { "\(name).summary" }
    static func findingKey(_ name: String) -> String { "\(name).finding" }

    private static func findingResults(_ name: String) -> [Result] {
        [
            Result(
                summaryKey(name),
                .string("The finding in one sentence; when it is ruled out, what was looked at.", max: Finding.textBytesMax)),
            Result(findingKey(name), Finding.schema),
        ]
    }
}

extension BuiltInDeclaration {
    public static let builtInLabel = "diagnosis.kubediag.org/built-in"

    /// The Operation by which diagnoses reach it.
    public var operation: Operation {
        var metadata = ObjectMeta(name: resourceName)
        metadata.labels = [Self.builtInLabel: name]
        metadata.annotations = ["kubernetes.io/description": succeedsWhen.map { "\(summary) Succeeds when \($0)." } ?? summary]
        return Operation(
            metadata: metadata,
            spec: OperationSpec(
                processor: Processor(httpServer: HTTPProcessor(path: path), timeoutSeconds: timeoutSeconds), effect: effect))
    }

    /// As `GET /api/v1/operations` lists it.
    public var json: JSON {
        var members: [String: JSON] = [
            "name": .string(name), "operation": .string(resourceName), "path": .string(path), "summary": .string(summary),
            "effect": .string(effect.rawValue), "timeoutSeconds": .integer(Int64(timeoutSeconds)),
            "parameters": .array(parameters.map(Self.json)),
            "results": .array(results.map { .object(["key": .string($0.key), "schema": Self.json($0.schema)]) }),
            "privileges": .array(privileges.map { .string($0) }),
            "tools": .array(tools.map { .object(["name": .string($0.name), "package": .string($0.package)]) }),
        ]
        if let succeedsWhen { members["succeedsWhen"] = .string(succeedsWhen) }
        return .object(members)
    }

    private static func json(_ schema: Schema) -> JSON {
        var components = SchemaComponents()
        return components.use(schema, isWritable: false)
    }

    private static func json(_ parameter: ParameterDefinition) -> JSON {
        var members: [String: JSON] = [
            "key": .string(parameter.key), "type": .string(parameter.kind.rawValue), "required": .bool(parameter.isRequired),
            "rule": .string(parameter.rule), "summary": .string(parameter.summary),
        ]
        if let text = parameter.defaultText { members["default"] = .string(text) }
        return .object(members)
    }
}
