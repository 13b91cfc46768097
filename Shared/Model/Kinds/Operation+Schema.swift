import JSONCoding

extension OperationSpec {
    public static let names = ResourceNames(
        kind: "Operation", plural: "operations", shortNames: ["op"], scope: .cluster,
        description: "One step that a diagnosis can take: a script, an HTTP processor or a function.",
        columns: [
            PrinterColumn(
                "Processor", .derived(from: [["spec", "processor"]]) { values, _ in processorName(values[0]) }, "How the operation is run."),
            PrinterColumn(
                "Effect", .derived(from: [["spec", "effect"]]) { values, _ in effectName(values[0]) },
                "What it may change: Read, Mutate or Destroy."),
            PrinterColumn(
                "Timeout", .derived(from: [["spec", "processor", "timeoutSeconds"]]) { values, _ in timeoutText(values[0]) },
                "How long one execution may take."),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since creation.", type: "date"),
        ])

    private static func processorName(_ processor: JSON?) -> String {
        guard let processor else { return "" }
        return ["scriptRunner", "function", "httpServer"].first { processor[$0] != nil } ?? "httpServer"
    }

    private static func effectName(_ effect: JSON?) -> String {
        if case .string(let effect)? = effect { effect } else { Effect.mutate.rawValue }
    }

    private static func timeoutText(_ seconds: JSON?) -> String {
        if case .integer(let seconds)? = seconds {
            "\(seconds)s"
        } else {
            "\(Processor.timeoutSecondsDefault)s"
        }
    }

    public static let statusSchema = Schema.object("Operations have no status: nothing about one can change by itself.", [])
        .named("OperationStatus")

    public static let specSchema = Schema.object(
        "What the operation runs, what it may change, and how often it may be tried.",
        [
            .required("processor", processorSchema.used("How the operation is run. Needed.")),
            .optional(
                "dependences",
                .array(
                    """
                    Operations that must have run before this one on every path that reaches it, at most 256. An operation set in which \
                    one has not is not ready.
                    """, of: .name("Name of an operation."), max: 256)),
            .optional("storage", storageSchema.used("Where the whole result is kept; the agent's data directory when absent.")),
            .optional(
                "effect",
                .choice(
                    """
                    What the operation may change on the machine it runs on. Read: nothing. Mutate: it may change things. Destroy: it \
                    may lose data. It decides what a dry run runs (Read alone), whether an execution that the agent's death interrupted \
                    may be repeated, and whether diagnoses of one node wait for each other.
                    """, Effect.allCases.map(\.rawValue)
                ).named(
                    "Effect"
                ).used(
                    "What the operation may change on the machine it runs on: Read, Mutate or Destroy. Mutate when absent.")),
            .optional("retry", retrySchema.used("How often a failed execution is tried again; not at all when absent.")),
            .optional(
                "parameters",
                .textMap(
                    """
                    Text handed to a script as environment variables: disk-path becomes KUBEDIAG_PARAM_DISK_PATH. Values have at most \
                    32,768 bytes.
                    """,
                    valueBytesMax: 32_768, keyFault: parameterKeyFault)),
        ]
    ).named("OperationSpec")

    private static let storageSchema = Schema.object(
        "Where the agent keeps the whole result on the node, to be listed and downloaded through its API.",
        [
            .optional(
                "hostPath",
                .object(
                    "A folder on the node.",
                    [
                        .required(
                            "path",
                            .string(
                                "Absolute path without '..', below one of the storage roots that the agent was started with.", max: 4096))
                    ]
                ).named("HostPath").used("The folder of the node below which it is kept."))
        ]
    ).named("Storage")

    private static let retrySchema = Schema.object(
        "How an execution that failed is tried again.",
        [
            .optional(
                "maxAttempts",
                .integer(
                    """
                    Executions at most, the first one included: 1 when absent, at most 100. One that the agent's death interrupted \
                    counts.
                    """,
                    1...100)),
            .optional("backoffSeconds", .integer("Seconds before the next attempt: 0 when absent, at most 3,600.", 0...3600)),
        ]
    ).named("Retry")

    private static let processorSchema = Schema.object(
        """
        How the operation is run: exactly one of httpServer, scriptRunner and function. What the processor learns goes into the \
        diagnosis' operationResults, and into the context of the operations that follow.
        """,
        [
            .optional("httpServer", httpServerSchema.used("A server that is called.")),
            .optional("scriptRunner", scriptRunnerSchema.used("A script that is run on the node.")),
            .optional("function", functionSchema.used("A function that is called in the runtime of its language.")),
            .optional(
                "timeoutSeconds",
                .integer(
                    """
                    Seconds that one execution may take: 30 when absent, at most 86,400. Then a script gets SIGTERM and 5 s later \
                    SIGKILL; an HTTP call is given up.
                    """, 1...86_400)),
            .optional(
                "execution",
                ExecutionSettings.schema.used(
                    "With what environment, as whom, where and within which limits a script or a function runs.")),
            .optional("externalIP", .string("Address of an HTTP processor, in the flat form of the original's v0.2.", max: 253)),
            .optional("externalPort", .integer("Port of an HTTP processor, in the flat form of the original's v0.2.", 1...65_535)),
            .optional("path", .string("Path of an HTTP processor, in the flat form of the original's v0.2.", max: 2048)),
            .optional("scheme", scheme("Scheme of an HTTP processor, in the flat form of the original's v0.2.")),
        ]
    ).named("Processor")

    private static func scheme(_ description: String) -> Schema {
        .choice(description, ["http", "https", "HTTP", "HTTPS"])
    }

    private static let httpServerSchema = Schema.object(
        """
        A server that the agent posts the context to, as a flat JSON object of strings. 200 with a JSON object succeeds, and its members \
        become results; 200 with \"kubediag.outcome\": \"ruledOut\" in it rules out; any other status fails.
        """,
        [
            .optional("address", .string("Host name or IP address of the server; the agent itself when absent.", max: 253)),
            .optional("port", .integer("TCP port of the server; the agent's own when absent.", 1...65_535)),
            .optional("path", .string("Path of the URL, beginning with '/'; / when absent.", max: 2048)),
            .optional("scheme", scheme("http or https; http when absent.")),
        ]
    ).named("HTTPProcessor")

    private static let scriptRunnerSchema = Schema.object(
        """
        A script that the agent runs on the node. Exit status 0 succeeds, 10 says that there is nothing to be found (ruled out), \
        anything else fails. The whole context arrives as JSON on its standard input.
        """,
        [
            .required(
                "script",
                Schema(
                    .string(StringRules(bytesMin: 1, bytesMax: 262_144)),
                    "The script's text, at most 262,144 bytes, run under the program that its #! line names, else under /bin/sh.")),
            .optional(
                "argKeys",
                .array(
                    """
                    Keys of the context whose values are the script's arguments, in this order. A key that the context lacks is an empty \
                    argument, so that positions never shift. At most 256.
                    """, of: .string("Key of the context.", max: 253), max: 256)),
            .optional(
                "operationResultKey",
                Schema(
                    .string(StringRules(bytesMin: 1, bytesMax: 128, pattern: parameterKeyPattern, fault: parameterKeyFault)),
                    """
                    Names the results: operation.KEY.output holds what the script printed, .stderr what it printed there, and .error why \
                    it failed. The operation's name when absent.
                    """)),
        ]
    ).named("ScriptProcessor")

    private static let functionSchema = Schema.object(
        "A function in the runtime of a language. What it returns becomes results.",
        [
            .required(
                "runtime", .string("python3. golang-http is admitted for old manifests and fails with RuntimeUnsupported.", max: 63)),
            .required(
                "codeSource",
                .textMap(
                    """
                    The files of the function, their texts by plain file name: at most 32 of 262,144 bytes each. python3 calls \
                    handle(context) of handler.py, which returns a dict.
                    """, entriesMax: 32, valueBytesMax: 262_144)),
        ]
    ).named("FunctionProcessor")

    /// What `parameterKeyFault` takes, as documents spell it.
    package static let parameterKeyPattern = "^[!-~]{1,253}$"

    /// Keys of parameters and results: printable ASCII without spaces, at most 253 bytes.
    package static let parameterKeyFault: @Sendable (String) -> String? = { key in
        if key.isEmpty || key.utf8.count > 253 { return "must have 1 to 253 bytes" }
        return key.utf8.allSatisfy { (33...126).contains($0) } ? nil : "must be printable ASCII without spaces"
    }

    public static func faults(in object: Operation, replacing old: Operation?) -> [FieldFault] {
        let processor = object.spec.processor
        var faults: [FieldFault] = []
        let named = [processor.httpServer != nil, processor.scriptRunner != nil, processor.function != nil, processor.isFlat].count { $0 }
        if named != 1 {
            faults.append(
                FieldFault(
                    "spec.processor", named == 0 ? .required : .forbidden, "must have exactly one of httpServer, scriptRunner and function")
            )
        }
        if let path = object.spec.storage?.hostPath?.path, !PathText.isAbsoluteAndNeverUp(path) {
            faults.append(FieldFault("spec.storage.hostPath.path", .invalid, "must be an absolute path without '..'"))
        }
        for (field, path) in [("httpServer.path", processor.httpServer?.path), ("path", processor.path)] {
            if let path, !path.isEmpty, !PathText.isAbsolute(path) || path.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
                faults.append(
                    FieldFault("spec.processor.\(field)", .invalid, "must begin with '/' and have no spaces or control characters"))
            }
        }
        for (field, address) in [("httpServer.address", processor.httpServer?.address), ("externalIP", processor.externalIP)] {
            if let address, address.utf8.contains(where: { $0 <= 32 || $0 >= 127 || [0x2f, 0x40, 0x3f, 0x23].contains($0) }) {
                faults.append(FieldFault("spec.processor.\(field)", .invalid, "must be a host name or an address"))
            }
        }
        for name in processor.function?.codeSource.keys.sorted() ?? []
        where !PathText.isPlainName(name) {
            faults.append(FieldFault("spec.processor.function.codeSource[\(name)]", .invalid, "must be a plain file name"))
        }
        return faults + (processor.execution?.faults(at: "spec.processor.execution", in: processor) ?? [])
    }
}
