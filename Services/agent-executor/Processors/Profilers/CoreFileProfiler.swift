import AgentOperations
import Glibc
import NodeFacts
import ProcessRunner

/// The stacks of a process and its core, or the stacks in a core file, by gdb; no debugger is left open.
///
/// gdb stops the process while it looks at it. It is held meanwhile, and made to go on if gdb leaves it stopped.
struct CoreFileProfiler: ProcessorOperation {
    let guarded: ProcessGuard

    private static let prefix = "param.diagnoser.runtime.core_file_profiler."
    static let type = Parameter<String>.choice(
        prefix + "type", ["gcore", "coredump"], default: "gcore", "gcore looks at a process, coredump at a core file")
    static let pid = Parameter<Int?>.optional(prefix + "pid", ProcessGuard.pids, "the process, which gcore needs")
    static let path = Parameter<String?>.optional(prefix + "filepath", .absolutePath, "the core file, which coredump needs")
    static let program = Parameter<String?>.optional(
        prefix + "executable", .absolutePath, "the program that left the core file, where gdb does not find it by itself")
    static let keepsCore = Parameter<Bool>.boolean(
        prefix + "core", default: true, "whether gcore writes a core; the process is stopped for as long as that takes")
    static let expiration = Parameter<Int?>.optional(
        prefix + "expiration_seconds", -86_400...31_536_000, "taken and not used: no server is left open")
    static let endpointKey = "diagnoser.runtime.core_file_profiler.result.endpoint"
    static let stacksKey = "diagnoser.runtime.core_file_profiler.result.backtrace"
    static let gdb = BuiltInDeclaration.Tool("gdb", package: "gdb")
    static let prlimit = BuiltInDeclaration.Tool("prlimit", package: "util-linux")

    static let declaration = BuiltInDeclaration(
        "coreFileProfiler", "Takes the stacks and the core of a process, or the stacks in a core file, with gdb.", effect: .mutate,
        parameters: [
            type.definition, pid.definition, path.definition, program.definition, keepsCore.definition, expiration.definition,
        ],
        results: [
            .init(endpointKey, .string("The path of the core.")), .init(stacksKey, .string("All threads' stacks.", max: stacksBytesMax)),
        ], privileges: ["root, or the process's own user with CAP_SYS_PTRACE"], tools: [gdb, prlimit], timeoutSeconds: 120)

    private static let stacksBytesMax = 1 << 20
    private static let coreName = "process.core"
    private static let framesMax = 64

    func plan(_ context: BuiltInContext) -> String {
        guard context[Self.type] == "gcore" else { return "Would read the stacks in a core file." }
        let core = context[Self.keepsCore] ? " and write its core" : ""
        return "Would stop process \(context[Self.pid].map { "\($0)" } ?? "?") with gdb, read its stacks\(core), and let it go on."
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        // Before anything is stopped.
        guard host.tools.path(of: Self.gdb) != nil else { throw .toolMissing(tool: Self.gdb.name, package: Self.gdb.package) }
        return context[Self.type] == "gcore" ? try await lookAtProcess(context, host) : try await lookAtFile(context, host)
    }

    // MARK: A process

    private func lookAtProcess(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        guard let pid = context[Self.pid].map({ Int32($0) }) else { throw .parameter(Self.pid.definition.key, "is needed by gcore") }
        let corePath = context[Self.keepsCore] ? try context.evidencePath(Self.coreName) : nil
        if let corePath, corePath.utf8.contains(where: { " \"'\\".utf8.contains($0) }) { throw .failed("gdb can't write to \(corePath)") }
        let bytesMax = context.evidenceBytesMax
        let guarded = guarded
        let (process, before) = try await host.read { (files) throws(BuiltInFault) in
            let process = try guarded.pin(pid, field: Self.pid.definition.key, files)
            guard let stat = try ProcessGuard.stat(of: pid, files) else { throw .failed("process \(pid) has just ended") }
            guard stat.state != .zombie else { throw .failed("process \(pid) has ended, and waits for its parent to collect it") }
            if let tracer = try Self.tracer(of: pid, files) {
                throw .failed("process \(pid) is traced by process \(tracer): two debuggers can't look at it")
            }
            let resident = Int64(clamping: stat.residentPages.saturatingMultiply(4096))
            guard corePath == nil || resident <= bytesMax else {
                throw .failed(
                    "process \(pid) has \(resident) bytes in memory, and evidence may have \(bytesMax): "
                        + "\(Self.keepsCore.definition.key)=false leaves the core out"
                )
            }
            return (process, stat.state)
        }
        var arguments = ["-p", "\(pid)"] + Self.stackCommands
        if let corePath { arguments += ["-ex", "generate-core-file \(corePath)"] }
        let result: Result<HostTools.Output, BuiltInFault>
        do throws(BuiltInFault) {
            result = .success(try await gdb(arguments + ["-ex", "detach"], fileBytesMax: bytesMax, host))
        } catch {
            result = .failure(error)
        }
        await letGo(process, before, host)
        let output = try result.get()
        let stacks = try Self.stacks(output, of: "process \(pid)")
        guard let corePath else { return .done([.init(Self.stacksKey, .text(stacks))]) }
        // gdb leaves it open to everybody.
        guard chmod(corePath, 0o600) == 0, output.text.contains("Saved corefile") else {
            throw .failed("gdb wrote no core of process \(pid): \(output.lastLine)")
        }
        return .done(
            [.init(Self.endpointKey, .text(corePath)), .init(Self.stacksKey, .text(stacks))],
            files: [EvidenceFile(Self.coreName, contentType: "application/x-coredump")])
    }

    private static func tracer(of pid: Int32, _ files: HostFiles) throws(BuiltInFault) -> UInt64? {
        do throws(HostFiles.Problem) {
            return ProcessStatus(try files.read("/proc/\(pid)/status", bytesMax: 64 * 1024)).tracer.flatMap { $0 == 0 ? nil : $0 }
        } catch {
            throw error.fault
        }
    }

    /// A debugger that is killed may leave the process stopped.
    private func letGo(_ process: PinnedProcess, _ before: ProcessStat.State, _ host: Host) async {
        guard before != .stopped else { return }
        // Unbound, so that it can be read while the execution is being stopped.
        let text: [UInt8]
        do throws(HostFiles.Problem) {
            text = try HostFiles(root: host.files.root).read("/proc/\(process.processID)/stat", bytesMax: 4096)
        } catch {
            // It has ended, and nothing of it is stopped.
            return
        }
        if ProcessStat(text)?.state == .stopped { _ = process.send(SIGCONT) }
    }

    // MARK: A core file

    private func lookAtFile(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        guard let path = context[Self.path] else { throw .parameter(Self.path.definition.key, "is needed by coredump") }
        try await host.read { (files) throws(BuiltInFault) in
            for file in [path, context[Self.program]].compactMap({ $0 }) {
                do throws(HostFiles.Problem) {
                    guard try files.read(file, bytesMax: 4) == Array("\u{7F}ELF".utf8) else {
                        throw .unreadable(path: file, reason: "it is no ELF file")
                    }
                } catch {
                    throw error.fault
                }
            }
        }
        let root = host.files.root == "/" ? "" : host.files.root
        var arguments = ["-c", root + path] + Self.stackCommands
        if let program = context[Self.program] { arguments = ["-se", root + program] + arguments }
        let output = try await gdb(arguments, fileBytesMax: 0, host)
        return .done([.init(Self.endpointKey, .text(path)), .init(Self.stacksKey, .text(try Self.stacks(output, of: path)))])
    }

    // MARK: gdb

    private static var stackCommands: [String] { ["-ex", "thread apply all backtrace \(framesMax)"] }

    /// Without the start files of anybody, without scripts that come with a program, without a question; files are cut at a size.
    private func gdb(_ arguments: [String], fileBytesMax: Int64, _ host: Host) async throws(BuiltInFault) -> HostTools.Output {
        guard let path = host.tools.path(of: Self.gdb) else { throw .toolMissing(tool: Self.gdb.name, package: Self.gdb.package) }
        let quiet = [
            "--batch", "-nx", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off", "-iex", "set width 0", "-iex",
            "set print frame-arguments none",
        ]
        return try await host.tools.run(
            Self.prlimit, ["--fsize=\(fileBytesMax)", "--core=0", "--", path] + quiet + arguments, outputBytesMax: Self.stacksBytesMax)
    }

    private static func stacks(_ output: HostTools.Output, of what: String) throws(BuiltInFault) -> String {
        let said = String(decoding: output.standardError, as: UTF8.self)
        if said.contains("Operation not permitted") {
            throw .privilegeMissing(what: "looking at \(what) (\(output.lastLine))", needs: "root and CAP_SYS_PTRACE")
        }
        guard output.text.contains("#0 ") else { throw .failed("gdb found no stacks of \(what): \(output.lastLine)") }
        return output.text
    }
}
