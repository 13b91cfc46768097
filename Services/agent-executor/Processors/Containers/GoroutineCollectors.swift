import AgentOperations
import Model

/// The stacks of dockerd's goroutines.
struct DockerdGoroutineCollector: ProcessorOperation {
    let execRoot: String

    static let resultKey = "collector.runtime.dockerd.goroutine"
    private static let filePrefix = "goroutine-stacks-"

    static let declaration = BuiltInDeclaration(
        "dockerdGoroutineCollector", "Has dockerd write the stacks of its goroutines (SIGUSR1) and keeps the file.",
        results: [.init(resultKey, .string("The path of the file with the stacks."))], privileges: ["root"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let folder = execRoot
        let before = try await Self.files(folder, host)
        _ = try await Daemon(name: "dockerd").askForStacks(host)
        let path = try await StackFile.appearing(context, host, "dockerd wrote no \(Self.filePrefix)… in \(folder)") {
            () throws(BuiltInFault) in
            try await Self.files(folder, host).subtracting(before).max().map { "\(folder)/\($0)" }
        }
        return try await StackFile.outcome(path, "dockerd-goroutines.txt", context, host) { [.init(Self.resultKey, .text($0))] }
    }

    private static func files(_ folder: String, _ host: Host) async throws(BuiltInFault) -> Set<String> {
        try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return Set(try files.names(in: folder).filter { $0.hasPrefix(filePrefix) })
            } catch {
                if case .absent = error { return [] }
                throw error.fault
            }
        }
    }
}

/// The stacks of containerd's goroutines, which go to its log and, since its version 1.2, into a file too.
struct ContainerdGoroutineCollector: ProcessorOperation {
    let folder: String

    static let resultKey = "collector.runtime.containerd.goroutine"
    static let fileKey = "collector.runtime.containerd.goroutine.file"

    static let declaration = BuiltInDeclaration(
        "containerdGoroutineCollector", "Has containerd write the stacks of its goroutines (SIGUSR1) and keeps the file.",
        results: [
            .init(resultKey, .time("When it was asked, to find the stacks in its log.")),
            .init(fileKey, .string("The path of the file with the stacks.")),
        ], privileges: ["root"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let asked = host.clock.now()
        let pid = try await Daemon(name: "containerd").askForStacks(host)
        // As containerd sees its temporary folder, which its unit may have made its own.
        let path = "/proc/\(pid)/root\(folder)/containerd.\(pid).stacks.log"
        let found = try await StackFile.appearing(context, host, "containerd wrote no \(path)") { () throws(BuiltInFault) in
            try await host.read { (files) throws(BuiltInFault) in
                do throws(HostFiles.Problem) {
                    return try files.status(path).modifiedAt >= asked.microseconds / 1_000_000 ? path : nil
                } catch {
                    if case .absent = error { return nil }
                    throw error.fault
                }
            }
        }
        return try await StackFile.outcome(found, "containerd-goroutines.txt", context, host) { path in
            [.init(Self.resultKey, .text("\(asked)")), .init(Self.fileKey, .text(path))]
        }
    }
}

/// A file that a daemon writes when it is asked to.
enum StackFile {
    private static let secondsMax = 10.0
    private static let pauseSeconds = 0.1
    private static let bytesMax = 32 << 20

    /// Waits until it is there and has stopped growing.
    static func appearing(
        _ context: BuiltInContext, _ host: Host, _ missing: String, _ look: () async throws(BuiltInFault) -> String?
    ) async throws(BuiltInFault) -> String {
        let end = host.clock.uptimeSeconds() + min(secondsMax, context.timeoutSeconds * 0.8)
        var size: Int64 = 0
        while host.clock.uptimeSeconds() < end {
            try await host.sleep(seconds: pauseSeconds)
            guard let path = try await look() else { continue }
            let now = try await host.read { (files) throws(BuiltInFault) -> Int64 in
                do throws(HostFiles.Problem) {
                    return try files.status(path).bytes
                } catch {
                    throw error.fault
                }
            }
            if now > 0, now == size { return path }
            size = now
        }
        throw .failed("\(missing) within \(Int(secondsMax)) s")
    }

    /// Keeps a copy as evidence, whose path is then the one that is told; without a place for evidence the file stays the only one.
    static func outcome(
        _ path: String, _ name: String, _ context: BuiltInContext, _ host: Host, _ results: (String) -> [BuiltInOutcome.Result]
    ) async throws(BuiltInFault) -> BuiltInOutcome {
        guard context.evidenceBytesMax > 0 else { return .done(results(path)) }
        let limit = Int(min(context.evidenceBytesMax, Int64(bytesMax)))
        let bytes = try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return try files.read(path, bytesMax: limit)
            } catch {
                throw error.fault
            }
        }
        let copy = try await context.writeEvidence(name, bytes, host)
        return .done(results(copy), files: [EvidenceFile(name, contentType: "text/plain; charset=utf-8")])
    }
}
