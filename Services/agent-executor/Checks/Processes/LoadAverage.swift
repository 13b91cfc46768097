import AgentOperations

/// More runnable and uninterruptible tasks than processors, over minutes (`/proc/loadavg`, proc_loadavg(5)).
enum LoadAverage {
    private static let threshold = Parameter<Double>.number(
        "loadPerProcessor", 0.1...1000, default: 2, "load average of five minutes for each processor that is too much")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "loadAverage", "Compares the load averages with the number of processors.",
            succeedsWhen: "the load average of five minutes is at least loadPerProcessor for each processor",
            parameters: [threshold.definition])
    ) { (context, host) throws(BuiltInFault) in
        let threshold = context[threshold]
        return try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return try judge(try files.text("/proc/loadavg", bytesMax: 256), try files.text("/proc/stat"), threshold)
            } catch {
                throw error.fault
            }
        }
    }

    private static func judge(_ loads: String, _ stat: String, _ threshold: Double) throws(HostFiles.Problem) -> BuiltInOutcome {
        let words = loads.split(whereSeparator: \.isWhitespace)
        let averages = words.prefix(3).compactMap { Double($0) }
        let processors = stat.split(separator: "\n").count { $0.hasPrefix("cpu") && !$0.hasPrefix("cpu ") }
        guard averages.count == 3, processors > 0 else {
            throw .unreadable(path: "/proc/loadavg", reason: "it is not what proc_loadavg(5) describes")
        }
        let share = averages[1] / Double(processors)
        let summary = "load \(words[0]), \(words[1]), \(words[2]) on \(processors) processors"
        var evidence: [Finding.Evidence] = zip(["1 minute", "5 minutes", "15 minutes"], averages).map { .init("load average of \($0)", $1) }
        evidence.append(.init("processors", processors))
        if words.count > 3 { evidence.append(.init("tasks, runnable of all", String(words[3]))) }
        guard share >= threshold else {
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        return .found(
            Finding(
                share >= 2 * threshold ? .critical : .warning, summary, evidence: evidence,
                hint: "Look at cpu-pressure and io-pressure next: load counts tasks that wait for a disk as well as those that compute."))
    }
}
