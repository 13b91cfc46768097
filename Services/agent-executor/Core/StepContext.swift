import Model

/// What a processor is told: a flat object of strings.
///
/// Later wins: the diagnosis's parameters, the results so far, then what identifies the run. A result that is not kept whole is given
/// as its preview, and `KEY.path` names the file with the whole on this node.
public struct StepContext: Sendable, Equatable {
    public private(set) var values: [String: String]

    /// - Parameter paths: where files with whole results are for this step, by the results' keys, if elsewhere.
    public init(job: Job, results: ResultBook, paths: [String: String] = [:]) {
        values = job.parameters
        for (key, value) in results.values { values[key] = value.preview }
        for (key, path) in results.wholePaths { values["\(key).path"] = paths[key] ?? path }
        values["diagnosis.uid"] = job.uid.rawValue
        values["diagnosis.namespace"] = job.namespace
        values["diagnosis.name"] = job.name
        values["node"] = job.node.rawValue
        guard let pod = job.pod else { return }
        values["pod.namespace"] = pod.namespace
        values["pod.name"] = pod.name
        if let container = pod.container { values["container"] = container }
    }
}

/// The positional arguments of a script: the values of its `argKeys` in order, an empty string for a key that is missing.
public struct ScriptArguments: Sendable, Equatable {
    /// What Linux takes as one string of exec, the NUL at its end not counted (`MAX_ARG_STRLEN`).
    public static let argumentBytesMax = 128 * 1024 - 1

    public let values: [String]

    public init(keys: [String], context: StepContext) throws(StepFaultError) {
        var values: [String] = []
        for key in keys {
            let value = context.values[key] ?? ""
            if value.utf8.contains(0) {
                throw StepFaultError(
                    .argumentInvalid, "the value of \"\(key)\" contains a NUL and can't be an argument; read it from stdin")
            }
            if value.utf8.count > Self.argumentBytesMax {
                throw StepFaultError(
                    .argumentTooLarge,
                    "the value of \"\(key)\" has \(value.utf8.count) bytes, an argument at most \(Self.argumentBytesMax); read it from stdin"
                )
            }
            values.append(value)
        }
        self.values = values
    }
}

/// A fault that ends a step before it starts.
public struct StepFaultError: Error, Sendable, Equatable {
    public let fault: StepFault

    public init(_ reason: StepFault.Reason, _ message: String) { fault = StepFault(reason, message) }
}
