import AgentOperations
import JSONCoding
import Model

/// What a folder's entries take on disk, the biggest first.
struct DiskUsageCollector: ProcessorOperation {
    static let path = Parameter<String>.text(
        "path", .absolutePath, default: "/var/lib/kubelet/pods", "the folder whose entries are counted; by default the pods' own")
    static let top = Parameter<Int>.integer("top", 1...1000, default: 10, "how many of the biggest entries are told")
    static let entriesMax = Parameter<Int>.integer(
        "entriesMax", 1...10_000_000, default: 2_000_000, "files and folders that are looked at, at most")
    static let pods = EarlierResult(
        PodListCollector.listKey, "the pods, as podListCollector leaves them: an entry named after a pod's uid is told with its name")
    static let resultKey = "collector.system.disk_usage"

    static let declaration = BuiltInDeclaration(
        "diskUsageCollector", "Counts what the entries of a folder take on disk, in bounds of time and entries.",
        parameters: [path.definition, top.definition, entriesMax.definition, pods.parameter.definition],
        results: [
            .init(
                resultKey,
                .object(
                    "The folder.",
                    [
                        .required("path", .string("Its path.")),
                        .required("diskUsage", .integer("Bytes on disk of all that was counted.", 0...Int64.max)),
                        .required("entries", .integer("Files and folders that were counted.")),
                        .required("isComplete", .boolean("Whether all of it was counted; false where a bound of time or entries was met.")),
                        .required("refused", .integer("Files and folders that could not be looked at.")),
                        .required(
                            "biggest",
                            .array(
                                "Its biggest entries.",
                                of: .object(
                                    "One entry.",
                                    [
                                        .required("path", .string("Its path.")),
                                        .required("diskUsage", .integer("Bytes on disk.", 0...Int64.max)),
                                        .required("entries", .integer("Files and folders in it, itself included.")),
                                        .optional("metadata", .anything("Namespace, name and uid of the pod that it belongs to.")),
                                    ]))),
                    ]))
        ], privileges: ["root, to look into every folder"], timeoutSeconds: 300)

    private struct Entry: Sendable {
        var path: HostPath
        var usage: DiskWalk.Usage
    }

    private struct Count: Sendable {
        var total: DiskWalk.Usage
        var biggest: [Entry]
        var isComplete: Bool
        var refused: Int
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let (path, top, entriesMax) = (context[Self.path], context[Self.top], context[Self.entriesMax])
        let end = ContinuousClock.Instant.walkEnd(context)
        let pods = Self.names(of: try await Self.pods.json(context, host)?.arrayValue ?? [])
        let count = try await host.read { (files) throws(BuiltInFault) in
            do throws(HostFiles.Problem) {
                return try Self.count(path, top, DiskWalk(files, entriesMax: entriesMax, deadline: end), files)
            } catch {
                throw error.fault
            }
        }
        let result: JSON = [
            "path": .string(path), "isComplete": .bool(count.isComplete), "refused": .integer(Int64(count.refused)),
            "diskUsage": .integer(count.total.bytes), "entries": .integer(Int64(count.total.entries)),
            "biggest": .array(
                count.biggest.map { entry in
                    var members: [String: JSON] = [
                        "path": .string(entry.path.text), "diskUsage": .integer(entry.usage.bytes),
                        "entries": .integer(Int64(entry.usage.entries)),
                    ]
                    members["metadata"] = pods[entry.path.name.text]
                    return .object(members)
                }),
        ]
        return .done([.init(Self.resultKey, .json(result))])
    }

    private static func count(_ path: String, _ top: Int, _ start: DiskWalk, _ files: HostFiles) throws(HostFiles.Problem) -> Count {
        var walk = start
        let folder = HostPath(path)
        let own = try files.status(folder)
        var total = DiskWalk.Usage(bytes: own.allocatedBytes, entries: 1)
        var biggest = Largest<Entry>(top) { ($1.usage.bytes, $0.path) < ($0.usage.bytes, $1.path) }
        try walk.eachEntry(of: folder) { (walk, path, status) throws(HostFiles.Problem) in
            guard status.device == own.device else { return }
            let usage = try walk.usage(of: path, status)
            total.bytes += usage.bytes
            total.entries += usage.entries
            biggest.add(Entry(path: path, usage: usage))
        }
        return Count(total: total, biggest: biggest.sorted, isComplete: walk.isComplete, refused: walk.refused)
    }

    private static func names(of pods: [JSON]) -> [String: JSON] {
        var names: [String: JSON] = [:]
        for pod in pods {
            guard let uid = pod.uid else { continue }
            names[uid] = ["namespace": .string(pod.namespace ?? ""), "name": .string(pod.name ?? ""), "uid": .string(uid)]
        }
        return names
    }
}
