import AgentOperations
import NodeFacts

/// More tasks that run or hang in the kernel than processors, over minutes (`/proc/loadavg`, proc_loadavg(5)).
enum HighLoad {
    private static let threshold = Parameter.number(
        "loadPerProcessor", 0.1...1000, default: 2, "Load average of five minutes for each processor from which on it is reported.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "loadAverage", "Compares the load averages with the number of processors.",
            succeedsWhen: "the load average of five minutes is at least loadPerProcessor for each processor",
            parameters: [threshold.definition])
    ) { context, host throws(BuiltInFault) in
        let threshold = context[threshold]
        return try await host.read { (files) throws(BuiltInFault) in
            let load = try files.parsed("/proc/loadavg") { LoadAverage($0) }
            return judge(load, processors: try processors(files), threshold)
        }
    }

    private static func processors(_ files: HostFiles) throws(BuiltInFault) -> Int {
        try files.parsed("/proc/stat") { bytes in
            let lines = bytes.split(separator: 0x0A).count { $0.starts(with: Array("cpu".utf8)) && $0.dropFirst(3).first != 0x20 }
            return lines > 0 ? lines : nil
        }
    }

    private static func judge(_ load: LoadAverage, processors: Int, _ threshold: Double) -> BuiltInOutcome {
        let averages = load.hundredths.map { Double($0) / 100 }
        let share = averages[1] / Double(processors)
        let summary = "Load \(averages.map { "\($0)" }.joined(separator: ", ")) on \(Quantity.count(processors, "processor"))."
        let evidence: [Finding.Evidence] =
            zip(["1 minute", "5 minutes", "15 minutes"], averages).map { .init("load average of \($0)", $1) }
            + [
                .init("processors", processors), .init("tasks that run or could", load.runnableTasks), .init("tasks", load.tasks),
            ]
        guard share >= threshold else { return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence)) }
        return .found(
            Finding(
                share >= 2 * threshold ? .critical : .warning, summary, evidence: evidence,
                hint: "Look at cpu-pressure and io-pressure next: load counts tasks that wait for a disk as well as those that compute."))
    }
}
