import AgentOperations
import NodeFacts

/// Errors that memory controllers, machine checks and thermal sensors have counted.
enum HardwareErrors {
    private static let correctableMin = Parameter.integer(
        "correctableMin", 1...1_000_000_000, default: 1, "Correctable memory errors from which on they are reported.")
    private static let sinceSeconds = Parameter.seconds(
        "sinceSeconds", 1...2_592_000, default: 86_400, "How far back the kernel's log is looked at for machine checks.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "hardwareErrors", "Looks for memory errors (EDAC), machine checks and thermal throttling.",
            succeedsWhen: """
                a memory controller counts an uncorrectable error or correctableMin correctable ones, or the kernel logged a machine check or memory \
                error in the last sinceSeconds
                """,
            parameters: [correctableMin.definition, sinceSeconds.definition], privileges: ["read access to /dev/kmsg"])
    ) { context, host throws(BuiltInFault) in
        let since = context[sinceSeconds]
        let counted = try await host.read { (files) throws(BuiltInFault) in (errors: try count(files), throttles: try throttles(files)) }
        var messages: [KernelMessage]?
        do throws(BuiltInFault) {
            messages = try await KernelLog.read(host, sinceSeconds: since).messages
                .filter { KernelFault($0.text) == .machineCheck || KernelFault($0.text) == .memoryError }
        } catch {
            // Without controllers that count, nothing has been looked at.
            if error == .cancelled || counted.errors.controllers == 0 { throw error }
        }
        return judge(counted.errors, messages, counted.throttles, correctableMin: UInt64(context[correctableMin]), sinceSeconds: since)
    }

    private struct Counts: Sendable {
        var controllers = 0
        var correctable: UInt64 = 0
        var uncorrectable: UInt64 = 0
        /// Modules with errors, by their labels.
        var modules: [(label: String, correctable: UInt64, uncorrectable: UInt64)] = []
    }

    private static let folder = "/sys/devices/system/edac/mc"
    private static let modulesMax = 1024

    private static func count(_ files: HostFiles) throws(BuiltInFault) -> Counts {
        var counts = Counts()
        for controller in try files.readableNames(in: folder) ?? [] where controller.hasPrefix("mc") {
            let path = "\(folder)/\(controller)"
            guard let correctable = try files.parsedIfReadable("\(path)/ce_count", Number.only),
                let uncorrectable = try files.parsedIfReadable("\(path)/ue_count", Number.only)
            else { continue }
            counts.controllers += 1
            counts.correctable = counts.correctable.saturatingAdd(correctable)
            counts.uncorrectable = counts.uncorrectable.saturatingAdd(uncorrectable)
            for module in try files.readableNames(in: path) ?? [] where module.hasPrefix("dimm") || module.hasPrefix("rank") {
                let ce = try files.parsedIfReadable("\(path)/\(module)/dimm_ce_count", Number.only) ?? 0
                let ue = try files.parsedIfReadable("\(path)/\(module)/dimm_ue_count", Number.only) ?? 0
                guard ce > 0 || ue > 0, counts.modules.count < modulesMax else { continue }
                let label = try files.readable("\(path)/\(module)/dimm_label", bytesMax: 256).map { Fields($0).rest } ?? ""
                counts.modules.append((label.isEmpty ? "\(controller) \(module)" : ProcessScan.printable(label), ce, ue))
            }
        }
        return counts
    }

    /// How often the cores were slowed down because they were hot, since the machine started; nil where it is not counted.
    private static func throttles(_ files: HostFiles) throws(BuiltInFault) -> UInt64? {
        var total: UInt64?
        for cpu in try files.readableNames(in: "/sys/devices/system/cpu") ?? [] where cpu.hasPrefix("cpu") {
            let path = "/sys/devices/system/cpu/\(cpu)/thermal_throttle/core_throttle_count"
            if let count = try files.parsedIfReadable(path, Number.only) { total = (total ?? 0).saturatingAdd(count) }
        }
        return total
    }

    private static func judge(
        _ counts: Counts, _ log: [KernelMessage]?, _ throttles: UInt64?, correctableMin: UInt64, sinceSeconds: Double
    ) -> BuiltInOutcome {
        let messages = log ?? []
        var evidence: [Finding.Evidence] = [
            Finding.Evidence("memory controllers", counts.controllers),
            Finding.Evidence("uncorrectable memory errors", counts.uncorrectable),
            Finding.Evidence("correctable memory errors", counts.correctable),
        ]
        for module in counts.modules.sorted(by: { ($1.uncorrectable, $1.correctable) < ($0.uncorrectable, $0.correctable) }).prefix(10) {
            evidence.append(Finding.Evidence("\(module.label) uncorrectable", module.uncorrectable))
            evidence.append(Finding.Evidence("\(module.label) correctable", module.correctable))
        }
        if let throttles { evidence.append(Finding.Evidence("times a core was throttled for heat", throttles)) }
        evidence += messages.suffix(5).reversed().map { Finding.Evidence("logged", ProcessScan.printable($0.text)) }
        let span = Quantity.duration(sinceSeconds)
        guard counts.uncorrectable > 0 || counts.correctable >= correctableMin || !messages.isEmpty else {
            let controllers =
                counts.controllers == 0
                ? "The kernel knows no memory controller that counts errors (EDAC)"
                : "\(Quantity.count(counts.controllers, "memory controller counts", "memory controllers count")) no error to report"
            let log = log != nil ? "no machine check was logged in the last \(span)" : "the kernel's log could not be read"
            return .ruledOut("\(controllers); \(log).", finding: Finding(.info, "\(controllers); \(log).", evidence: evidence))
        }
        let module = counts.modules.max { ($0.uncorrectable, $0.correctable) < ($1.uncorrectable, $1.correctable) }
        let parts =
            (counts.uncorrectable > 0 ? ["\(counts.uncorrectable) uncorrectable"] : [])
            + (counts.correctable > 0 ? ["\(counts.correctable) correctable"] : [])
        var sentences = parts.isEmpty ? [] : ["The memory controllers count \(parts.joined(separator: " and ")) errors"]
        if let module, !parts.isEmpty { sentences[0] += ", most in \(module.label)" }
        if let last = messages.last {
            let count = Quantity.count(messages.count, "hardware error")
            sentences.append("The kernel logged \(count) in the last \(span): \(ProcessScan.printable(last.text))")
        }
        return .found(
            Finding(
                counts.uncorrectable > 0 ? .critical : .warning, sentences.joined(separator: ". ") + ".", evidence: evidence,
                hint: """
                    Correctable errors that grow announce a module that fails; an uncorrectable one has already cost data or a process. Drain the node and have the \
                    module replaced.
                    """))
    }
}
