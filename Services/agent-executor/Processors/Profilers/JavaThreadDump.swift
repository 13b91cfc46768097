import AgentOperations
import Glibc
import Model

/// The threads of a Java virtual machine, by jcmd or jstack.
struct JavaThreadDump: ProcessorOperation {
    let guarded: ProcessGuard

    static let pid = Parameter<Int>.required("param.diagnoser.runtime.java_thread_dump.pid", ProcessGuard.pids, "the Java process")
    static let resultKey = "diagnoser.runtime.java_thread_dump.result"
    static let deadlocksKey = "diagnoser.runtime.java_thread_dump.deadlocks"
    static let jcmd = BuiltInDeclaration.Tool("jcmd", package: "openjdk-17-jdk-headless")
    static let jstack = BuiltInDeclaration.Tool("jstack", package: "openjdk-17-jdk-headless")

    private static let dumpBytesMax = 4 << 20
    private static let fileName = "java-threads.txt"

    static let declaration = BuiltInDeclaration(
        "javaThreadDump", "Takes the stacks and locks of all threads of a Java virtual machine.", parameters: [pid.definition],
        results: [
            .init(resultKey, .string("The dump.", max: dumpBytesMax)),
            .init(deadlocksKey, .integer("How many deadlocks it found.")),
        ], privileges: ["root, or the process's own user"], tools: [jcmd, jstack], timeoutSeconds: 60)

    /// Whether a process has the library mapped that every Java virtual machine is, even where a newer one has replaced its file.
    private static func hasVirtualMachine(_ pid: Int32, _ files: HostFiles) throws(BuiltInFault) -> Bool {
        let library = Array("/libjvm.so".utf8)
        do throws(HostFiles.Problem) {
            return try files.read("/proc/\(pid)/maps").split(separator: UInt8(ascii: "\n")).contains { line in
                line.firstRange(of: library).map { [0x20, nil].contains(line[$0.upperBound...].first) } ?? false
            }
        } catch {
            throw error.fault
        }
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let pid = Int32(context[Self.pid])
        let guarded = guarded
        // To be let in, the tools send SIGQUIT: a virtual machine handles it; anything else may die of it, even with a handler of its own.
        let process = try await host.read { (files) throws(BuiltInFault) in
            let process = try guarded.pin(pid, field: Self.pid.definition.key, files)
            guard try CaughtSignals(of: pid, files).contains(SIGQUIT), try Self.hasVirtualMachine(pid, files) else {
                throw .failed(
                    "process \(pid) is no Java virtual machine that can be asked: it has no libjvm.so, or takes no SIGQUIT (-Xrs)")
            }
            return process
        }
        let output: HostTools.Output
        if host.tools.path(of: Self.jcmd) != nil {
            output = try await host.tools.run(Self.jcmd, ["\(pid)", "Thread.print", "-l"], seconds: 30, outputBytesMax: Self.dumpBytesMax)
        } else {
            output = try await host.tools.run(Self.jstack, ["-l", "\(pid)"], seconds: 30, outputBytesMax: Self.dumpBytesMax)
        }
        withExtendedLifetime(process) {}
        let dump = output.text
        guard output.status == 0, dump.contains("Full thread dump") else {
            throw .failed("there is no thread dump of process \(pid): \(output.lastLine)")
        }
        let deadlocks = dump.split(separator: "\n").count { $0.hasPrefix("Found one Java-level deadlock") }
        var files: [EvidenceFile] = []
        if context.evidenceBytesMax > 0 {
            _ = try await context.writeEvidence(Self.fileName, output.standardOutput, host)
            files = [EvidenceFile(Self.fileName, contentType: "text/plain; charset=utf-8")]
        }
        return .done([.init(Self.resultKey, .text(dump)), .init(Self.deadlocksKey, .text("\(deadlocks)"))], files: files)
    }
}
