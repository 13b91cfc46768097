import AgentOperations

/// Programs of the node, whether the agent runs on it or in a container beside it.
///
/// In a container the program is run by nsenter in the namespaces of the node's first process: the container's own systemctl or umount
/// would act on the container.
struct NodeNamespaces: Sendable {
    static let nsenter = BuiltInDeclaration.Tool("nsenter", package: "util-linux")

    let host: Host

    func run(
        _ tool: BuiltInDeclaration.Tool, _ arguments: [String], seconds: Double = .infinity
    ) async throws(BuiltInFault) -> HostTools.Output {
        guard try await differ(in: "mnt") else { return try await host.tools.run(tool, arguments, seconds: seconds) }
        let entered = ["-t", "1", "-m", "-u", "-i", "-n", "-p", "--", tool.name]
        let output = try await host.tools.run(Self.nsenter, entered + arguments, seconds: seconds)
        // 127 and 126 are nsenter's own, for a program that is not there or can't be run.
        if output.status == 127 { throw .toolMissing(tool: tool.name, package: tool.package) }
        if output.lastLine.hasPrefix("nsenter:") {
            throw .privilegeMissing(
                what: "entering the node's namespaces (\(output.lastLine))", needs: "hostPID and a privileged container")
        }
        return output
    }

    /// Whether the node's first process has other namespaces of a kind (namespaces(7)) than the agent; one that can't be looked at is taken
    /// for the agent's own.
    func differ(in kind: String) async throws(BuiltInFault) -> Bool {
        try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return try files.link("/proc/1/ns/\(kind)") != files.link("/proc/self/ns/\(kind)")
            } catch {
                if case .stopped = error { throw error.fault }
                return false
            }
        }
    }
}
