import AgentOperations
import NodeFacts

/// Whether tasks wait for memory, the CPUs or block devices: pressure stall information and who causes it.
enum ResourcePressure {
    enum Resource: String, Sendable {
        case memory, cpu, io

        var noun: String {
            switch self {
            case .memory: "memory"
            case .cpu: "a CPU"
            case .io: "block I/O"
            }
        }
    }

    private static let window = Parameter.choice(
        "window", ["10", "60", "300"], default: "60", "Seconds over which the kernel's average is taken: 10, 60 or 300.")

    private static func some(_ value: Double) -> Parameter<Double> {
        .percent("somePercent", default: value, "Share of time in which at least one task waited, from which on it is pressure.")
    }

    private static func full(_ value: Double) -> Parameter<Double> {
        .percent("fullPercent", default: value, "Share of time in which all tasks waited, from which on it is pressure.")
    }

    private static let availablePercent = Parameter.percent(
        "availablePercent", default: 10, "Available memory, of all memory, below which it is short whether tasks wait or not.")

    static let memory = builtIn(
        .memory, some(10), full(5), also: [availablePercent.definition],
        "\"some\" or \"full\" memory pressure reaches its threshold, or less than availablePercent of the memory is available")
    static let cpu = builtIn(.cpu, some(50), nil, also: [], "CPU pressure reaches somePercent")
    static let io = builtIn(.io, some(25), full(10), also: [], "\"some\" or \"full\" I/O pressure reaches its threshold")

    private static func builtIn(
        _ resource: Resource, _ some: Parameter<Double>, _ full: Parameter<Double>?, also: [ParameterDefinition], _ succeedsWhen: String
    ) -> BuiltIn {
        let declaration = BuiltInDeclaration(
            "\(resource.rawValue)Pressure", "Tells how long tasks wait for \(resource.noun), and which control groups wait most.",
            succeedsWhen: succeedsWhen,
            parameters: [some.definition] + [full?.definition].compactMap { $0 } + [window.definition] + also)
        return BuiltIn(declaration) { context, host throws(BuiltInFault) in
            let limits = Limits(
                some: context[some], full: full.map { context[$0] }, window: context[window],
                available: resource == .memory ? context[availablePercent] : nil)
            return try await host.read { (files) throws(BuiltInFault) in try look(resource, limits, files) }
        }
    }

    struct Limits: Sendable {
        var some: Double
        var full: Double?
        var window: String
        var available: Double?

        func share(_ share: Pressure.Share) -> Double {
            window == "10" ? share.percent10 : window == "300" ? share.percent300 : share.percent60
        }
    }

    private static func look(_ resource: Resource, _ limits: Limits, _ files: HostFiles) throws(BuiltInFault) -> BuiltInOutcome {
        let path = "/proc/pressure/\(resource.rawValue)"
        guard let text = try files.present(path, bytesMax: 4096) else {
            throw .unavailable("\(path) is not there: the kernel is older than 4.20, or was built or started without PSI (psi=1)")
        }
        guard let pressure = Pressure(text) else { throw .failed("\(path) is not what the kernel writes there") }
        let some = limits.share(pressure.some)
        let full = pressure.full.map(limits.share)
        let memory = try resource == .memory ? files.parsed("/proc/meminfo") { MemoryInfo($0) } : nil
        var state = "tasks wait for \(resource.noun) \(Quantity.percent(some)) of \(limits.window) s"
        if let full, limits.full != nil { state += ", all of them \(Quantity.percent(full))" }
        if let memory { state += "; \(Quantity.bytes(memory.available)) of \(Quantity.bytes(memory.total)) are available" }
        var evidence = figures(resource, pressure, memory)
        let isShort = memory.map { $0.available.percent(of: $0.total) < limits.available ?? 0 } ?? false
        let isFull = limits.full.map { full ?? 0 >= $0 } ?? false
        guard some >= limits.some || isFull || isShort else {
            let summary = "No \(resource.rawValue) pressure: \(state)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let offenders = try PressureByGroup.offenders(resource.rawValue, files)
        evidence += PressureByGroup.evidence(offenders)
        if resource == .memory { evidence += try largest(files) }
        let most = offenders.first.map { "; most of all \(CgroupName.short($0.group))" } ?? ""
        return .found(
            Finding(
                isCritical(full, memory) ? .critical : .warning, "\(state.prefix(1).uppercased() + state.dropFirst())\(most).",
                evidence: evidence, hint: hint(resource)))
    }

    private static func isCritical(_ full: Double?, _ memory: MemoryInfo?) -> Bool {
        if let memory, memory.available.percent(of: memory.total) < 2 { return true }
        return full ?? 0 >= 25
    }

    private static func figures(_ resource: Resource, _ pressure: Pressure, _ memory: MemoryInfo?) -> [Finding.Evidence] {
        var evidence: [Finding.Evidence] = []
        for (name, share) in [("some", Optional(pressure.some)), ("full", pressure.full)] {
            guard let share else { continue }
            evidence.append(Finding.Evidence("\(name), 10 s", share.percent10, unit: "percent"))
            evidence.append(Finding.Evidence("\(name), 60 s", share.percent60, unit: "percent"))
            evidence.append(Finding.Evidence("\(name), 300 s", share.percent300, unit: "percent"))
        }
        guard let memory else { return evidence }
        return evidence + [
            Finding.Evidence("available", memory.available, unit: "bytes"), Finding.Evidence("total", memory.total, unit: "bytes"),
            Finding.Evidence("anonymous", memory.anonymous, unit: "bytes"),
            Finding.Evidence("shared and tmpfs", memory.shared, unit: "bytes"),
            Finding.Evidence("unreclaimable slab", memory.unreclaimableSlab, unit: "bytes"),
            Finding.Evidence("swap used", memory.swapTotal.since(memory.swapFree), unit: "bytes"),
        ]
    }

    /// The processes with the most memory.
    private static func largest(_ files: HostFiles) throws(BuiltInFault) -> [Finding.Evidence] {
        let processes = try ProcessScan(files).processes.filter { $0.residentPages > 0 }
            .sorted { ($1.residentPages, $0.pid) < ($0.residentPages, $1.pid) }
        var evidence: [Finding.Evidence] = []
        for process in processes.prefix(5) {
            evidence.append(Finding.Evidence("\(try ProcessScan.label(process, files)) resident", process.residentBytes, unit: "bytes"))
        }
        return evidence
    }

    private static func hint(_ resource: Resource) -> String {
        switch resource {
        case .memory:
            "Tasks stand still while memory is reclaimed. Stop or limit the largest users, or move work away; oomKills tells what was killed."
        case .cpu:
            "There is more to run than CPUs. runawayProcesses tells who computes, cpuThrottling which groups are held back by their own quota."
        case .io: "Tasks wait for disks. diskSaturation tells which, uninterruptibleTasks who is stuck."
        }
    }
}
