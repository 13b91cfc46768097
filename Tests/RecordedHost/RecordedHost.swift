import AgentOperations
import Glibc
import HTTPClient
import Model
import ProcessRunner
import Synchronization
import TestSupport

import class Foundation.FileManager

/// A machine in a temporary folder: its files are what a test says, its clock stands until somebody sleeps.
public final class RecordedHost: Sendable {
    private let directory: TemporaryDirectory
    private let runner: ProcessRunner
    private let http: HTTPClient
    private let readers = ReaderThreads()
    private let uptime: Mutex<Double>
    private let asleep = Mutex<[@Sendable (RecordedHost) throws -> Void]>([])
    private let tools = "/usr/local/recorded-tools"

    public var root: String { directory.path }
    /// Where the programs of `putTool` are, for an agent that is told its folders.
    public var toolFolder: String { root + tools }

    /// - Parameter files: texts by their absolute paths.
    public init(_ files: [String: String] = [:], uptimeSeconds: Double = 86_400) throws {
        directory = try TemporaryDirectory()
        runner = try ProcessRunner()
        http = try HTTPClient()
        uptime = Mutex(uptimeSeconds)
        for (path, text) in files { try put(path, text) }
    }

    deinit {
        directory.remove()
        readers.close()
    }

    /// Writes a file, and the folders that it is in.
    public func put(_ path: String, _ text: String) throws { try put(path, bytes: Array(text.utf8)) }

    public func put(_ path: String, bytes: [UInt8], mode: mode_t = 0o644) throws {
        try makeFolder(of: path)
        guard let file = fopen(root + path, "wb") else { throw RecordingError(path, errno) }
        let count = bytes.isEmpty ? 0 : fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count, chmod(root + path, mode) == 0 else { throw RecordingError(path, errno) }
    }

    public func putFIFO(_ path: String) throws {
        try makeFolder(of: path)
        guard mkfifo(root + path, 0o600) == 0 else { throw RecordingError(path, errno) }
    }

    public func putLink(_ path: String, to target: String) throws {
        try makeFolder(of: path)
        guard symlink(target, root + path) == 0 else { throw RecordingError(path, errno) }
    }

    public func makeFolder(_ path: String) throws { try makeFolder(of: path + "/.") }

    /// Removes a file, or a folder with what is in it.
    public func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: root + path)
    }

    /// A program that the host's tools find under this name: a script with its `#!` line.
    ///
    /// It is written by another process: what this one has open for writing, a child that starts just now has too, and then nobody can run it.
    public func putTool(_ name: String, _ script: String) throws {
        let path = "\(tools)/\(name)"
        try put(path + ".text", script)
        try ProcessTable.run("install", "-m", "755", root + path + ".text", root + path)
    }

    /// What happens to the machine while an operation sleeps: the first sleep takes the first change, and so on.
    public func onSleep(_ change: @escaping @Sendable (RecordedHost) throws -> Void) { asleep.withLock { $0.append(change) } }

    /// - Parameter hasMachineTools: whether the test machine's own programs are found too.
    public func host(hasMachineTools: Bool = false) throws -> Host {
        let clock = HostClock(
            now: { [self] in Timestamp(seconds: 1_790_000_000 + Int64(uptime.withLock { $0 })) },
            uptimeSeconds: { [self] in uptime.withLock { $0 } },
            sleep: { [self] seconds in
                uptime.withLock { $0 += seconds }
                let change = asleep.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                try change?(self)
            })
        let folders = [toolFolder] + (hasMachineTools ? ["/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] : [])
        return Host(
            files: try HostFiles(root: root), clock: clock, tools: HostTools(runner: runner, folders: folders), http: http,
            readers: readers)
    }

    /// The machine that the tests run on.
    public static func machine() throws -> Host {
        Host(files: try HostFiles(), tools: HostTools(runner: try ProcessRunner()), http: try HTTPClient(), readers: ReaderThreads())
    }

    private func makeFolder(of path: String) throws {
        precondition(path.utf8.first == UInt8(ascii: "/"), "paths of a machine are absolute")
        var folder = root
        for part in path.utf8.split(separator: UInt8(ascii: "/")).dropLast() {
            folder += "/\(Substring(part))"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw RecordingError(folder, errno) }
        }
    }
}

/// A file of a recorded machine that could not be made.
struct RecordingError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ code: Int32) { description = "\(path): \(String(cString: strerror(code)))" }
}

extension BuiltIn {
    /// Runs it as the agent does, with parameters as a diagnosis has them.
    public func run(_ parameters: [String: String] = [:], on host: Host, seconds: Double = 10) async throws(BuiltInFault) -> BuiltInOutcome
    {
        let context = try BuiltInContext(declaration, values: parameters, timeoutSeconds: seconds)
        return try await run(context, host)
    }
}
