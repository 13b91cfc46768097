import AgentExecutorCore
import Glibc
public import ProcessRunner

/// What marks the programs of one execution, and ends with it.
public struct ToolRun: Sendable {
    public let marker: ProcessMarker?
    /// When the execution has to be over.
    public let deadline: ContinuousClock.Instant

    public init(marker: ProcessMarker?, deadline: ContinuousClock.Instant) {
        self.marker = marker
        self.deadline = deadline
    }
}

/// Programs of the machine: found in a fixed list of folders, run without a shell, in bounds of time and output.
public struct HostTools: Sendable {
    /// How a program ended by itself.
    public struct Output: Sendable {
        /// Its exit status.
        public let status: Int32
        /// At most what was asked for.
        public let standardOutput: [UInt8]
        public let standardError: [UInt8]
        /// Whether there was more on standard output than was asked for.
        public let isCut: Bool

        public var text: String { Text.repaired(standardOutput, isCut: isCut) }
        /// The last line that says something, of what it said on standard error, else on standard output.
        public var lastLine: String {
            for stream in [standardError, standardOutput] {
                let lines = Text.repaired(Array(stream.suffix(4096)), isCut: false).split(whereSeparator: \.isNewline)
                for line in lines.reversed() {
                    let text = Text.firstLine(String(line), charactersMax: 200)
                    if !text.isEmpty { return text }
                }
            }
            return ""
        }
    }

    /// The folders of a script's `PATH`.
    public static let standardFolders = ScriptEnvironment.path.split(separator: ":").map(String.init)
    public static let outputBytesMax = 4 << 20

    private let runner: ProcessRunner
    private let folders: [String]
    private let run: ToolRun?

    /// - Parameter folders: where programs are looked for, in this order.
    public init(runner: ProcessRunner, folders: [String] = standardFolders) {
        self.init(runner: runner, folders: folders, run: nil)
    }

    private init(runner: ProcessRunner, folders: [String], run: ToolRun?) {
        self.runner = runner
        self.folders = folders
        self.run = run
    }

    func bound(to run: ToolRun) -> HostTools { HostTools(runner: runner, folders: folders, run: run) }

    /// Where a program is; nil where it is not on this machine.
    public func path(of tool: BuiltInDeclaration.Tool) -> String? {
        folders.lazy.map { "\($0)/\(tool.name)" }.first { access($0, X_OK) == 0 }
    }

    /// Runs a program to its end, whatever its exit status.
    ///
    /// - Parameters:
    ///   - seconds: how long it may take; less where the execution has less left. Then it gets SIGTERM, and SIGKILL a second later.
    ///   - outputPath: a file that gets standard output instead of memory, up to `fileBytesMax`.
    /// - Throws: `toolMissing`, `privilegeMissing`, `timedOut`, `cancelled`; `failed` where a signal ended it.
    public func run(
        _ tool: BuiltInDeclaration.Tool, _ arguments: [String], input: [UInt8] = [], seconds: Double = .infinity,
        outputBytesMax: Int = outputBytesMax, outputPath: String? = nil, fileBytesMax: Int64 = 0
    ) async throws(BuiltInFault) -> Output {
        guard let path = path(of: tool) else { throw .toolMissing(tool: tool.name, package: tool.package) }
        var command = ProcessCommand(.file(path), arguments: arguments, standardInput: input)
        command.environment = ["PATH": folders.joined(separator: ":"), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"]
        command.marker = run?.marker
        command.limits.terminationGrace = .seconds(1)
        command.limits.headBytesMax = outputPath == nil ? outputBytesMax : 0
        command.limits.tailBytesMax = outputPath == nil ? 0 : 4096
        let left = run.map { (ContinuousClock.now.duration(to: $0.deadline)) / .seconds(1) } ?? .infinity
        let allowed = max(0.01, min(seconds, left))
        if allowed.isFinite { command.timeout = .seconds(allowed) }
        if let outputPath {
            command.outputFiles = OutputFiles(bytesMax: fileBytesMax) { $0 == .standardOutput ? outputPath : nil }
        }
        let outcome: ProcessOutcome
        do throws(ProcessError) {
            outcome = try await runner.run(command)
        } catch {
            throw Self.fault(of: error, tool)
        }
        if let run, outcome.cause != .byItself, ContinuousClock.now >= run.deadline { throw .timedOut("\(tool.name) was still running") }
        return try Self.output(outcome, tool, seconds: allowed)
    }

    private static func output(
        _ outcome: ProcessOutcome, _ tool: BuiltInDeclaration.Tool, seconds: Double
    ) throws(BuiltInFault) -> Output {
        switch (outcome.cause, outcome.termination) {
        case (.cancelled, _): throw .cancelled
        case (.timedOut, _): throw .timedOut(BuiltInFault.late(tool.name, seconds: seconds))
        case (_, .stuck): throw .timedOut("\(tool.name) can't be ended: it hangs in the kernel")
        case (_, .signaled(let number, _)):
            throw .failed("\(tool.name) was ended by signal \(number) (\(String(cString: strsignal(number))))")
        case (_, .exited(let status)):
            return Output(
                status: status, standardOutput: outcome.standardOutput.head, standardError: outcome.standardError.bytes,
                isCut: !outcome.standardOutput.isComplete)
        }
    }

    private static func fault(of error: ProcessError, _ tool: BuiltInDeclaration.Tool) -> BuiltInFault {
        switch error {
        case .programNotFound: .toolMissing(tool: tool.name, package: tool.package)
        case .accessDenied(let path): .privilegeMissing(what: "running \(path)", needs: "the right to execute it")
        case .notExecutable(let path): .unavailable("\(path) is no program of this machine")
        case .argumentsTooLarge: .failed("the arguments of \(tool.name) are larger than exec takes")
        case .argumentInvalid(let what): .failed("\(tool.name): \(what)")
        case .workingDirectoryUnusable(let path, let code), .workFolderUnusable(let path, let code):
            .failed("\(tool.name): \(path): \(String(cString: strerror(code)))")
        case .resourcesExhausted(let call, let code), .system(let call, let code):
            .failed("\(tool.name) can't be started: \(call): \(String(cString: strerror(code)))")
        case .cancelledBeforeStart, .closed: .cancelled
        }
    }
}
