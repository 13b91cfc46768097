import Model

/// What one execution of a built-in operation is told.
///
/// A parameter is looked up as `NAME.KEY` first, with the operation's name, so that two operations of one diagnosis can be told apart,
/// and then as `KEY`; in the diagnosis' context, and where that has neither, in the operation's own `spec.parameters`. An empty value is as
/// good as none. One that is its caller's alone is looked up in what the caller gave.
public struct BuiltInContext: Sendable {
    /// The flat context of the run: parameters, results of earlier operations, ids.
    public let values: [String: String]
    /// How long the execution may take from its start.
    public let timeoutSeconds: Double
    /// How much of that a look may take, so that there is time left to tell what is known.
    public var lookSeconds: Double { timeoutSeconds * 0.8 }
    private let name: String
    private let defaults: [String: String]
    private let callerValues: [String: String]
    private let folder: EvidenceFolderAccess?

    /// Throws `parametersInvalid` with all faults of all parameters.
    ///
    /// - Parameter callerValues: the parameters of the diagnosis alone; nil where all values are the caller's.
    public init(
        _ declaration: BuiltInDeclaration, values: [String: String], callerValues: [String: String]? = nil,
        defaults: [String: String] = [:], timeoutSeconds: Double, folder: EvidenceFolderAccess? = nil
    ) throws(BuiltInFault) {
        name = declaration.name
        self.values = values
        self.defaults = defaults
        self.callerValues = callerValues ?? values
        self.timeoutSeconds = timeoutSeconds
        self.folder = folder
        let faults = declaration.parameters.compactMap { parameter -> FieldFault? in
            guard let text = text(parameter) else {
                return parameter.isRequired ? FieldFault(parameter.key, .required, "is needed: \(parameter.summary)") : nil
            }
            return parameter.fault(text).map { FieldFault(parameter.key, .invalid, $0) }
        }
        guard faults.isEmpty else { throw .parametersInvalid(faults) }
    }

    /// The value of a declared parameter, or its default.
    public subscript<Value>(_ parameter: Parameter<Value>) -> Value {
        guard let text = text(parameter.definition) else { return parameter.fallback() }
        guard let value = parameter.parse(text) else { preconditionFailure("\(parameter.definition.key) was not declared") }
        return value
    }

    /// Whether the parameter was given, as opposed to its default being taken.
    public func isGiven<Value>(_ parameter: Parameter<Value>) -> Bool { text(parameter.definition) != nil }

    private func text(_ parameter: ParameterDefinition) -> String? {
        let sources = parameter.isOfCallerAlone ? [callerValues] : [values, defaults]
        return sources.lazy.flatMap { [$0["\(name).\(parameter.key)"], $0[parameter.key]] }.compactMap { $0 }.first { !$0.isEmpty }
    }

    /// Where a file with evidence is to be written: a path that does not exist yet, in a folder of this execution.
    ///
    /// - Parameter name: letters, digits, `-`, `_` and `.`, at most 80 bytes.
    /// - Throws: `unavailable` where nothing is kept, or the disk refuses.
    public func evidencePath(_ name: String) throws(BuiltInFault) -> String {
        precondition(!name.isEmpty && name.utf8.count <= 80 && name.utf8.allSatisfy(Self.isPlain), "\(name) is no plain name")
        guard let folder else { throw .unavailable("there is no place for a file: call this operation in a diagnosis") }
        return try folder.path(name)
    }

    /// Bytes that the files of this execution may have together.
    public var evidenceBytesMax: Int64 { folder?.bytesMax ?? 0 }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}

/// The folder for the files of one execution.
public struct EvidenceFolderAccess: Sendable {
    public let bytesMax: Int64
    let path: @Sendable (String) throws(BuiltInFault) -> String

    public init(bytesMax: Int64, path: @escaping @Sendable (String) throws(BuiltInFault) -> String) {
        self.bytesMax = bytesMax
        self.path = path
    }
}
