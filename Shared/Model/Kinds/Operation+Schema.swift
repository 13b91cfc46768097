import JSONCoding

extension OperationSpec {
    public static let names = ResourceNames(
        kind: "Operation", plural: "operations", shortNames: ["op"], scope: .cluster,
        description: "One step that a diagnosis can take: a script, an HTTP processor or a function.",
        columns: [
            PrinterColumn("Processor", .computed { object, _ in processorName(object) }, "How the operation is run."),
            PrinterColumn("Effect", .computed { object, _ in effectName(object) }, "What it may change: Read, Mutate or Destroy."),
            PrinterColumn("Timeout", .computed { object, _ in timeoutText(object) }, "How long one execution may take."),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since creation.", type: "date"),
        ])

    private static func processorName(_ object: JSON) -> String {
        guard let processor = object["spec"]?["processor"] else { return "" }
        return ["scriptRunner", "function", "httpServer"].first { processor[$0] != nil } ?? "httpServer"
    }

    private static func effectName(_ object: JSON) -> String {
        if case .string(let effect)? = object["spec"]?["effect"] { effect } else { Effect.mutate.rawValue }
    }

    private static func timeoutText(_ object: JSON) -> String {
        if case .integer(let seconds)? = object["spec"]?["processor"]?["timeoutSeconds"] {
            "\(seconds)s"
        } else {
            "\(Processor.timeoutSecondsDefault)s"
        }
    }

    public static let statusSchema = Schema.object("Operations have no status.", [])

    public static let specSchema = Schema.object(
        "What the operation runs and how.",
        [
            .required("processor", processorSchema),
            .optional(
                "dependences",
                .array(
                    "Operations that must have run earlier on every path that reaches this one.", of: .name("Name of an operation."),
                    max: 256)),
            .optional(
                "storage",
                .object(
                    "Where the whole result is kept.",
                    [
                        .optional(
                            "hostPath",
                            .object(
                                "A folder on the node.",
                                [.required("path", .string("Absolute path, below one of the agent's storage roots.", max: 4096))]))
                    ])),
            .optional(
                "effect",
                .choice(
                    "What the operation may change. It drives dry runs, retries after an agent's death and node locks. Mutate when absent.",
                    Effect.allCases.map(\.rawValue))),
            .optional(
                "retry",
                .object(
                    "How often a failed execution is tried again.",
                    [
                        .optional(
                            "maxAttempts",
                            .integer("Executions at most, the first included; one that the agent's death interrupted counts.", 1...100)),
                        .optional("backoffSeconds", .integer("Pause before the next attempt.", 0...3600)),
                    ])),
            .optional(
                "parameters",
                .textMap(
                    "Text handed to a script as KUBEDIAG_PARAM_… environment variables.", valueBytesMax: 32_768, keyFault: parameterKeyFault
                )),
        ])

    private static let processorSchema = Schema.object(
        "How the operation is run: exactly one of httpServer, scriptRunner and function.",
        [
            .optional(
                "httpServer",
                .object(
                    "A POST of the context as a flat JSON object of strings.",
                    [
                        .optional("address", .string("Host name or address; the agent itself when absent.", max: 253)),
                        .optional("port", .integer("TCP port; the agent's own when absent.", 1...65_535)),
                        .optional("path", .string("Path of the URL; / when absent.", max: 2048)),
                        .optional("scheme", .choice("http when absent.", ["http", "https", "HTTP", "HTTPS"])),
                    ])),
            .optional(
                "scriptRunner",
                .object(
                    "A script, run under its #! line or else /bin/sh.",
                    [
                        .required("script", Schema(.string(StringRules(bytesMin: 1, bytesMax: 262_144)), "The script's text.")),
                        .optional(
                            "argKeys",
                            .array(
                                "Keys of the context whose values are the arguments, in order.", of: .string("A key.", max: 253), max: 256)),
                        .optional(
                            "operationResultKey",
                            Schema(
                                .string(StringRules(bytesMin: 1, bytesMax: 128, fault: parameterKeyFault)),
                                "Names the results operation.<key>.output, .stderr and .error.")),
                    ])),
            .optional(
                "function",
                .object(
                    "A function in a language's runtime.",
                    [
                        .required("runtime", .string("python3; golang-http is admitted and fails with RuntimeUnsupported.", max: 63)),
                        .required(
                            "codeSource",
                            .textMap(
                                "File names and their texts; python3 runs handle(context) of handler.py.", entriesMax: 32,
                                valueBytesMax: 262_144)),
                    ])),
            .optional("timeoutSeconds", .integer("Seconds one execution may take; 30 when absent.", 1...86_400)),
            .optional("externalIP", .string("Address, in the flat form of the original's v0.2.", max: 253)),
            .optional("externalPort", .integer("Port, in the flat form of the original's v0.2.", 1...65_535)),
            .optional("path", .string("Path, in the flat form of the original's v0.2.", max: 2048)),
            .optional("scheme", .choice("Scheme, in the flat form of the original's v0.2.", ["http", "https", "HTTP", "HTTPS"])),
        ])

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
        if let path = object.spec.storage?.hostPath?.path,
            !path.hasPrefix("/") || path.split(separator: "/").contains("..") || path.contains("\0")
        {
            faults.append(FieldFault("spec.storage.hostPath.path", .invalid, "must be an absolute path without '..'"))
        }
        for (field, path) in [("httpServer.path", processor.httpServer?.path), ("path", processor.path)] {
            if let path, !path.isEmpty, !path.hasPrefix("/") || path.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
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
        where name.isEmpty || name.hasPrefix(".") || name.contains("/") || name.contains("\0") {
            faults.append(FieldFault("spec.processor.function.codeSource[\(name)]", .invalid, "must be a plain file name"))
        }
        return faults
    }
}
