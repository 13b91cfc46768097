import AgentOperations
import JSONCoding
import KubernetesConnection
import Model

/// Packets of the node, or of a pod in its own network namespace, for a while and up to a size.
struct TcpdumpProfiler: ProcessorOperation {
    let cluster: Cluster
    let docker: DockerAPI

    private static let prefix = "param.diagnoser.runtime.tcpdump_profiler."
    static let container = Parameter<String?>.optional(prefix + "container", .word(), "a container of the pod; its first one otherwise")
    static let interface = Parameter<String>.text(prefix + "interface", .word(bytesMax: 15), default: "any", "the interface")
    static let filter = Parameter<String?>.optional(
        prefix + "filter",
        TextRule("a filter expression in one line of at most 1024 bytes, not beginning with '-'") { text in
            TextRule.line().admits(text) && text.first { $0 != " " } != "-"
        }, "which packets, as in pcap-filter(7)")
    static let seconds = Parameter<Int>.integer(prefix + "seconds", 1...600, default: 10, "for how long")
    static let packetBytes = Parameter<Int>.integer(prefix + "snaplen", 64...65_535, default: 256, "bytes of a packet that are kept")
    static let packets = Parameter<Int>.integer(prefix + "packets", 1...1_000_000, default: 20_000, "packets at most")
    static let expiration = Parameter<Int?>.optional(
        prefix + "expiration_seconds", -86_400...31_536_000, "taken and not used: no server is left open")
    static let endpointKey = "diagnoser.runtime.tcpdump_profiler.result.Endpoint"
    static let packetsKey = "diagnoser.runtime.tcpdump_profiler.result.packets"
    static let tcpdump = BuiltInDeclaration.Tool("tcpdump", package: "tcpdump")
    static let timeout = BuiltInDeclaration.Tool("timeout", package: "coreutils")

    private static let fileName = "packets.pcap"
    /// timeout(1) answers it where it ended the program.
    private static let endedStatus: Int32 = 124

    static let declaration = BuiltInDeclaration(
        "tcpdumpProfiler", "Captures packets of the node, or of a pod, for a while and up to a size.",
        parameters: [
            PodParameters.namespace.definition, PodParameters.name.definition, PodParameters.container.definition, container.definition,
            interface.definition, filter.definition, seconds.definition, packetBytes.definition, packets.definition, expiration.definition,
        ],
        results: [
            .init(endpointKey, .string("The path of the file with the packets (pcap).")),
            .init(packetsKey, .string("What tcpdump says of it: packets captured, received and dropped.")),
        ], privileges: ["root, or CAP_NET_RAW; of a pod: root, and access to the container runtime"],
        tools: [tcpdump, timeout, NodeNamespaces.nsenter, CRI.crictl], timeoutSeconds: 60)

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let seconds = context[Self.seconds]
        guard Double(seconds) + 5 <= context.timeoutSeconds else {
            throw .parameter(
                Self.seconds.definition.key, "must leave 5 s to end tcpdump: the operation ends after \(Int(context.timeoutSeconds)) s")
        }
        guard let tcpdump = host.tools.path(of: Self.tcpdump) else {
            throw .toolMissing(tool: Self.tcpdump.name, package: Self.tcpdump.package)
        }
        let path = try context.evidencePath(Self.fileName)
        var command = ["--foreground", "--signal=INT", "--kill-after=2", "\(seconds)", tcpdump, "-n", "-U", "-i", context[Self.interface]]
        // Packets come one by one: what the kernel still gathers for a block when the time is up would be lost.
        command += ["--immediate-mode"]
        command += ["-s", "\(context[Self.packetBytes])", "-c", "\(context[Self.packets])", "-w", "-"]
        if let filter = context[Self.filter] { command += ["--", filter] }
        let output: HostTools.Output
        if let pid = try await target(context, host) {
            guard let timeout = host.tools.path(of: Self.timeout) else {
                throw .toolMissing(tool: Self.timeout.name, package: Self.timeout.package)
            }
            output = try await host.tools.run(
                NodeNamespaces.nsenter, ["-t", "\(pid)", "-n", "--", timeout] + command, outputPath: path,
                fileBytesMax: context.evidenceBytesMax)
        } else {
            output = try await host.tools.run(Self.timeout, command, outputPath: path, fileBytesMax: context.evidenceBytesMax)
        }
        return try outcome(output, path)
    }

    private func outcome(_ output: HostTools.Output, _ path: String) throws(BuiltInFault) -> BuiltInOutcome {
        let lines = String(decoding: output.standardError, as: UTF8.self).split(whereSeparator: \.isNewline)
        let counts = lines.filter { $0.contains(" packet") && $0.first?.isNumber == true }
        guard output.status == 0 || output.status == Self.endedStatus, !counts.isEmpty else {
            let said = output.lastLine
            if said.contains("permission") || said.contains("Operation not permitted") {
                throw .privilegeMissing(what: "capturing packets (\(said))", needs: "root, or CAP_NET_RAW")
            }
            // The line before may name what is wrong, such as the interface.
            let own = lines.last { $0.hasPrefix("tcpdump: ") && !$0.contains("listening on") }.map(String.init)
            throw .failed("tcpdump failed: \(own ?? said)")
        }
        return .done(
            [.init(Self.endpointKey, .text(path)), .init(Self.packetsKey, .text(counts.joined(separator: ", ")))],
            files: [EvidenceFile(Self.fileName, contentType: "application/vnd.tcpdump.pcap")])
    }

    // MARK: The pod

    /// A process in the network namespace that is meant, a pod's or the node's; nil where it is the agent's own.
    private func target(_ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> Int64? {
        guard let name = context[PodParameters.name] else {
            return try await NodeNamespaces(host: host).differ(in: "net") ? 1 : nil
        }
        guard let namespace = context[PodParameters.namespace] else {
            throw .parameter(PodParameters.namespace.definition.key, "is needed with \(PodParameters.name.definition.key)")
        }
        let pod = try await cluster.get(KubernetesKinds.pods, namespace: namespace, name: name, context)
        let statuses = pod[path: "status", "containerStatuses"]?.arrayValue ?? []
        let wanted = context[Self.container] ?? context[PodParameters.container] ?? statuses.first?["name"]?.stringValue
        guard let status = statuses.first(where: { $0["name"]?.stringValue == wanted }),
            let parts = status["containerID"]?.stringValue?.split(separator: "://"), parts.count == 2
        else { throw .failed("the pod \(namespace)/\(name) has no running container\(wanted.map { " \($0)" } ?? "")") }
        let (runtime, id) = (parts[0], String(parts[1]))
        guard TextRule.word(bytesMax: 128).admits(id) else { throw .failed("the container of \(namespace)/\(name) has no usable id") }
        let pid =
            if runtime == "docker" {
                try await docker.get("/containers/\(id)/json", context, host)[path: "State", "Pid"]
            } else {
                try await CRI(host: host).ask(["inspect", "-o", "json", id])[path: "info", "pid"]
            }
        guard let number = pid?.integerValue, number > 1 else { throw .failed("the container \(id) of \(namespace)/\(name) does not run") }
        return number
    }
}
