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
        let daemon = try await Daemon(name: "dockerd").askForStacks(host)
        let file = try await StackFile.appearing(context, host, "dockerd wrote no \(Self.filePrefix)… in \(folder)") {
            () throws(BuiltInFault) in
            try await Self.files(folder, host).subtracting(before).max().map { StackFile(folder: folder, name: $0, daemon: daemon) }
        }
        return try await file.outcome("dockerd-goroutines.txt", context, host) { [.init(Self.resultKey, .text($0))] }
    }

    private static func files(_ folder: String, _ host: Host) async throws(BuiltInFault) -> Set<String> {
        try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return Set(try files.names(in: folder).filter { $0.utf8.starts(with: filePrefix.utf8) })
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
        let daemon = try await Daemon(name: "containerd").askForStacks(host)
        // As containerd sees its temporary folder, which its unit may have made its own.
        let file = StackFile(
            folder: "/proc/\(daemon.pid)/root", name: "\(folder.drop { $0 == "/" })/containerd.\(daemon.pid).stacks.log", daemon: daemon)
        let found = try await StackFile.appearing(context, host, "containerd wrote no \(file.path)") { () throws(BuiltInFault) in file }
        return try await found.outcome("containerd-goroutines.txt", context, host) { path in
            [.init(Self.resultKey, .text("\(daemon.time)")), .init(Self.fileKey, .text(path))]
        }
    }
}

/// A file that a daemon writes when it is asked to.
///
/// It may lie where everybody can make files. So it is opened without following a link below its folder, and what is open has to be a regular
/// file, the daemon's own, with no other name, and written to since the daemon was asked.
struct StackFile: Sendable {
    let folder: String
    /// From the folder on.
    let name: String
    let daemon: Daemon.Asked

    var path: String { "\(folder)/\(name)" }

    private static let secondsMax = 10.0
    private static let pauseSeconds = 0.1
    private static let bytesMax = 32 << 20
    /// The clock of files goes on in steps of at most this.
    private static let tickMicroseconds: Int64 = 20_000

    /// Waits until it is there and has stopped growing.
    static func appearing(
        _ context: BuiltInContext, _ host: Host, _ missing: String, _ look: () async throws(BuiltInFault) -> StackFile?
    ) async throws(BuiltInFault) -> StackFile {
        let end = host.clock.uptimeSeconds() + min(secondsMax, context.lookSeconds)
        var size: Int64 = 0
        while host.clock.uptimeSeconds() < end {
            try await host.sleep(seconds: pauseSeconds)
            guard let file = try await look(), let now = try await file.read(0, host)?.status.bytes else { continue }
            if now > 0, now == size { return file }
            size = now
        }
        throw .failed("\(missing) within \(Int(secondsMax)) s")
    }

    /// Keeps a copy as evidence, whose path is then the one that is told; without a place for evidence the file stays the only one.
    func outcome(
        _ evidence: String, _ context: BuiltInContext, _ host: Host, _ results: (String) -> [BuiltInOutcome.Result]
    ) async throws(BuiltInFault) -> BuiltInOutcome {
        guard context.evidenceBytesMax > 0 else { return .done(results(path)) }
        let limit = Int(min(context.evidenceBytesMax, Int64(Self.bytesMax)))
        guard let bytes = try await read(limit, host)?.bytes else { throw .failed("\(path) has just gone") }
        let copy = try await context.writeEvidence(evidence, bytes, host)
        return .done(results(copy), files: [EvidenceFile(evidence, contentType: "text/plain; charset=utf-8")])
    }

    /// Nil where it is not there, or is one of earlier.
    private func read(_ bytesMax: Int, _ host: Host) async throws(BuiltInFault) -> (status: HostFiles.Status, bytes: [UInt8])? {
        try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                let file = try files.read(name, inside: folder, followsLinks: false, bytesMax: bytesMax)
                guard file.status.user == daemon.user, file.status.links == 1 else {
                    throw .unreadable(path: path, reason: "it is not the daemon's alone")
                }
                let written = file.status.modifiedAt * 1_000_000 + file.status.modifiedNanoseconds / 1000
                return written >= daemon.time.microseconds - Self.tickMicroseconds ? file : nil
            } catch {
                if case .absent = error { return nil }
                throw error.fault
            }
        }
    }
}
