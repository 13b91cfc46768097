/// With what environment, as whom, where and within which limits a script or a function runs.
public struct ExecutionSettings: Codable, Sendable, Hashable {
    public var environment: [String: String]?
    public var workingDirectory: String?
    /// A name or a number.
    public var runAsUser: String?
    public var limits: ExecutionLimits?

    public init(
        environment: [String: String]? = nil, workingDirectory: String? = nil, runAsUser: String? = nil, limits: ExecutionLimits? = nil
    ) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.runAsUser = runAsUser
        self.limits = limits
    }
}

/// What one execution may take; nil leaves it to the agent.
public struct ExecutionLimits: Codable, Sendable, Hashable {
    public var cpuSeconds: Int?
    public var fileSizeBytes: Int?
    public var openFiles: Int?
    public var processes: Int?
    public var memoryBytes: Int?
    public var cpuMillis: Int?

    public init(
        cpuSeconds: Int? = nil, fileSizeBytes: Int? = nil, openFiles: Int? = nil, processes: Int? = nil, memoryBytes: Int? = nil,
        cpuMillis: Int? = nil
    ) {
        self.cpuSeconds = cpuSeconds
        self.fileSizeBytes = fileSizeBytes
        self.openFiles = openFiles
        self.processes = processes
        self.memoryBytes = memoryBytes
        self.cpuMillis = cpuMillis
    }
}

extension ExecutionSettings {
    static let schema = Schema.object(
        "With what environment, as whom, where and within which limits a script or a function runs.",
        [
            .optional(
                "environment",
                .textMap(
                    """
                    Environment variables, at most 64 and 65,536 bytes in all. What decides which programs and libraries are loaded, and \
                    what KubeDiag sets itself, is refused: PATH and names that end with it, LD_…, KUBEDIAG_…, HOME, TMPDIR and such.
                    """,
                    entriesMax: 64, valueBytesMax: 32_768, keyFault: variableFault)),
            .optional(
                "workingDirectory",
                .string(
                    "The working directory, an absolute path on the node without '..'; a private folder, empty before and removed after, when absent.",
                    max: 4096)),
            .optional(
                "runAsUser",
                Schema(
                    .string(StringRules(bytesMin: 1, bytesMax: 32, pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$", fault: userFault)),
                    """
                    The user of the node that it runs as, by name or by number in quotes, without supplementary groups. When absent, the \
                    agent's --run-as-user (nobody) where the agent runs as root, else the agent's own. Only root can gain privileges by \
                    set-user-ID programs. An agent that does not run as root fails what asks for another user with UserUnavailable.
                    """)),
            .optional("limits", ExecutionLimits.schema.used("What one execution may take.")),
        ]
    ).named("ExecutionSettings")

    /// What stands in the way of a variable's name, if anything does.
    package static let variableFault: @Sendable (String) -> String? = { name in
        let isName =
            name.utf8.count <= 128
            && name.utf8.enumerated().allSatisfy { index, byte in
                switch byte {
                case 0x41...0x5A, 0x61...0x7A, 0x5F: true
                case 0x30...0x39: index > 0
                default: false
                }
            }
        guard isName, !name.isEmpty else { return "must have letters, digits and '_', no digit first, and at most 128 bytes" }
        let isOurs = ["HOME", "TMPDIR", "TRACEPARENT"].contains(name) || name.hasPrefix("KUBEDIAG_")
        if isOurs { return "is set by KubeDiag" }
        let isLoader =
            name.hasPrefix("LD_") || name.uppercased().hasSuffix("PATH")
            || ["BASH_ENV", "BASHOPTS", "ENV", "GCONV_PATH", "GLIBC_TUNABLES", "IFS", "PYTHONHOME", "PYTHONSTARTUP", "SHELLOPTS"].contains(
                name)
        return isLoader ? "decides what is loaded and run; let the script set it" : nil
    }

    private static let userFault: @Sendable (String) -> String? = { name in
        if name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return UInt32(name).map { $0 < .max } == true ? nil : "must be a number below 4294967295"
        }
        let isName =
            name.utf8.first != UInt8(ascii: "-") && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x5F, 0x2D, 0x2E: true
                default: false
                }
            }
        return isName ? nil : "must be the name or the number of a user"
    }

    func faults(at path: String, in processor: Processor) -> [FieldFault] {
        var faults: [FieldFault] = []
        if processor.scriptRunner == nil, processor.function == nil {
            faults.append(FieldFault(path, .forbidden, "is for scripts and functions; an HTTP processor runs where it is served"))
        }
        if let directory = workingDirectory, !PathText.isAbsoluteAndNeverUp(directory) {
            faults.append(FieldFault("\(path).workingDirectory", .invalid, "must be an absolute path without '..'"))
        }
        let variables = environment ?? [:]
        for name in variables.keys.sorted() where variables[name]?.utf8.contains(0) == true {
            faults.append(FieldFault("\(path).environment[\(name)]", .invalid, "must not contain NUL"))
        }
        if variables.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }) > Self.environmentBytesMax {
            faults.append(FieldFault("\(path).environment", .invalid, "must have at most \(Self.environmentBytesMax) bytes in all"))
        }
        return faults
    }

    /// Names, values and two bytes for each.
    static let environmentBytesMax = 65_536
}

extension ExecutionLimits {
    static let schema = Schema.object(
        "What one execution may take. What is absent is left to the agent's settings.",
        [
            .optional(
                "cpuSeconds",
                .integer("Seconds of CPU that each of its processes may use; then SIGXCPU, and SIGKILL a second later.", 1...86_400)),
            .optional(
                "fileSizeBytes",
                .integer("Bytes of each file that it writes; beyond it a write ends the process with SIGXFSZ.", 0...(1 << 50))),
            .optional("openFiles", .integer("Descriptors that each of its processes may have open.", 16...1_048_576)),
            .optional(
                "processes",
                .integer(
                    """
                    Processes and threads that it may have at once. Where the agent has no cgroups: that its user may have, wherever they come \
                    from, and root is not held to it.
                    """, 1...4_194_304)),
            .optional(
                "memoryBytes",
                .integer(
                    """
                    Bytes of memory that all its processes may have together; beyond it they are killed and the step fails with OutOfMemory. \
                    Where the agent has no cgroups: bytes of address space of each process.
                    """, 16_777_216...(1 << 50))),
            .optional(
                "cpuMillis",
                .integer(
                    "Thousandths of a CPU that all its processes may use together: 500 is half of one. Not held where the agent has no cgroups.",
                    10...1_024_000)),
        ]
    ).named("ExecutionLimits")
}
