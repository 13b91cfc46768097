import AgentOperations
import NodeFacts

/// Tasks that stay in uninterruptible sleep (state D): they wait in the kernel, nothing ends them.
enum UninterruptibleTasks {
    private static let sampleSeconds = Parameter.seconds(
        "sampleSeconds", 0.1...60, default: 2, "How long a task has to stay in state D to be reported: it is looked at before and after.")
    private static let tasksMin = Parameter.integer("tasksMin", 1...1_000_000, default: 1, "Tasks from which on they are reported.")
    private static let threads = Parameter.boolean(
        "threads", default: true, "Whether every thread is looked at, not the first of each process alone.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "uninterruptibleTasks", "Looks for tasks that hang in the kernel (state D), with their kernel stacks.",
            succeedsWhen: "at least tasksMin tasks were in state D both at the beginning and at the end of sampleSeconds",
            parameters: [sampleSeconds.definition, tasksMin.definition, threads.definition],
            privileges: ["root, for kernel stacks"], timeoutSeconds: 90)
    ) { context, host throws(BuiltInFault) in
        let allThreads = context[threads]
        let before = try await host.read { (files) throws(BuiltInFault) in try find(files, allThreads) }
        let seconds = context[sampleSeconds]
        if !before.tasks.isEmpty { try await host.sleep(seconds: seconds) }
        return try await host.read { [tasksMin = context[tasksMin]] (files) throws(BuiltInFault) in
            var stuck: [Task] = []
            for task in before.tasks where try stillWaits(task, files) { stuck.append(task) }
            return try judge(stuck, of: before, tasksMin: tasksMin, seconds: seconds, files)
        }
    }

    private struct Task: Sendable {
        /// Of its process, whose numbers are those of its first thread.
        var process: ProcessStat
        var thread: ProcessStat
        var folder: String
    }

    private struct Sample: Sendable {
        var processes = 0
        var tasks: [Task] = []
    }

    private static let tasksKept = 4096
    private static let shown = 12

    private static func find(_ files: HostFiles, _ allThreads: Bool) throws(BuiltInFault) -> Sample {
        let scan = try ProcessScan(files)
        var sample = Sample(processes: scan.processes.count)
        for process in scan.processes {
            guard sample.tasks.count < tasksKept else { break }
            if process.state == .uninterruptible {
                sample.tasks.append(Task(process: process, thread: process, folder: "/proc/\(process.pid)"))
            }
            guard allThreads, process.threads > 1 else { continue }
            for name in try files.readableNames(in: "/proc/\(process.pid)/task") ?? [] where name != "\(process.pid)" {
                let folder = "/proc/\(process.pid)/task/\(name)"
                guard let thread = try ProcessScan.stat("\(folder)/stat", files), thread.state == .uninterruptible else { continue }
                sample.tasks.append(Task(process: process, thread: thread, folder: folder))
            }
        }
        return sample
    }

    private static func stillWaits(_ task: Task, _ files: HostFiles) throws(BuiltInFault) -> Bool {
        guard let now = try ProcessScan.stat("\(task.folder)/stat", files) else { return false }
        return now.state == .uninterruptible && now.startTicks == task.thread.startTicks && now.cpuTicks == task.thread.cpuTicks
    }

    private static func judge(
        _ stuck: [Task], of sample: Sample, tasksMin: Int, seconds: Double, _ files: HostFiles
    ) throws(BuiltInFault) -> BuiltInOutcome {
        guard stuck.count >= tasksMin else {
            let passing = sample.tasks.count - stuck.count
            let summary = """
                \(Quantity.count(stuck.count, "task hangs", "tasks hang")) in the kernel; of \
                \(Quantity.count(sample.processes, "process", "processes")), \
                \(Quantity.count(passing, "task was in state D for a moment", "tasks were in state D for a moment")).
                """
            return .ruledOut(
                summary, finding: Finding(.info, summary, evidence: [Finding.Evidence("tasks in state D", sample.tasks.count)]))
        }
        var evidence = [Finding.Evidence("tasks stuck in state D", stuck.count)]
        for task in stuck.prefix(shown) {
            evidence.append(Finding.Evidence(try label(task, files), try wait(task, files)))
        }
        let first = stuck[0]
        let others = stuck.count > 1 ? " and \(stuck.count - 1) more" : ""
        return .found(
            Finding(
                stuck.count >= 10 ? .critical : .warning,
                "\(try label(first, files))\(others) hung in the kernel for \(Quantity.duration(seconds)) or longer: \(try wait(first, files)).",
                evidence: evidence,
                hint: """
                    The stacks tell what they wait for: a network file system (nfs, cifs, fuse), a disk (io_schedule, jbd2, xfs), memory. \
                    kernelLog, diskSaturation and readOnlyMounts look at those. SIGKILL ends some of them; most stay until what they wait for comes.
                    """))
    }

    private static func label(_ task: Task, _ files: HostFiles) throws(BuiltInFault) -> String {
        let process = try ProcessScan.label(task.process, files)
        return task.thread.pid == task.process.pid
            ? process : "thread \(task.thread.pid) \(ProcessScan.printable(task.thread.name)) of \(process)"
    }

    /// The functions that it waits in, innermost first; without the privilege for its stack the innermost alone, if that is told.
    private static func wait(_ task: Task, _ files: HostFiles) throws(BuiltInFault) -> String {
        if let stack = try files.readable("\(task.folder)/stack", bytesMax: 16 * 1024).map(KernelStack.functions), !stack.isEmpty {
            return stack.prefix(8).joined(separator: " ← ")
        }
        if let channel = try files.readable("\(task.folder)/wchan", bytesMax: 256), !channel.isEmpty, channel != [0x30] {
            return "in \(String(decoding: channel, as: UTF8.self)), its stack needs root"
        }
        return "its kernel stack can't be read; that needs root"
    }
}
