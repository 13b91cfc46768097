import AgentOperations
import NodeFacts

/// The mounts of the node as its first process sees them.
struct MountInfoCollector: ProcessorOperation {
    static let infoKey = "collector.system.mountinfo"
    static let path = "/proc/1/mountinfo"

    static let declaration = BuiltInDeclaration(
        "mountInfoCollector", "Reads the mounts of this node.",
        results: [.init(infoKey, .string("The text of \(path) (proc_pid_mountinfo(5)).", max: HostFiles.readBytesMax))],
        privileges: ["root, to look at the first process"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let bytes = try await Self.read(host)
        return .done([.init(Self.infoKey, .text(String(decoding: bytes, as: UTF8.self)))])
    }

    static func read(_ host: Host) async throws(BuiltInFault) -> [UInt8] {
        let bytes = try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return try files.read(path)
            } catch {
                throw error.fault
            }
        }
        guard !bytes.isEmpty else { throw .unreadable(path: path, reason: "it is empty") }
        return bytes
    }
}
