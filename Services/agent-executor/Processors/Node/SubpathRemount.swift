import AgentOperations
import JSONCoding
import Model
import NodeFacts

/// What the kubelet's bind mounts of subpaths look like when their source has been replaced.
enum SubpathMount {
    /// The kernel's mark of a folder that is no longer there, at the end of a mount's root (show_mountinfo).
    private static let deletedMark = "//deleted"

    static func isDeleted(_ mount: Mount) -> Bool { mount.root.hasSuffix(deletedMark) }

    /// Such as `/var/lib/kubelet/pods/UID/volume-subpaths/VOLUME/CONTAINER/0`, whatever the kubelet's own folder is.
    static func isSubpath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 7, parts[0].isEmpty, let index = parts.firstIndex(of: "volume-subpaths"), index >= 3 else { return false }
        return parts.count == index + 4 && parts[index - 2] == "pods"
            && parts.dropFirst().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
}

/// Recognises a container that can't be started again since the config map or secret that it mounts by a subpath was changed
/// (kubernetes/kubernetes#68211).
struct SubpathRemountDiagnoser: ProcessorOperation {
    static let pod = EarlierResult(PodDetailCollector.detailKey, "the pod, as podDetailCollector leaves it")
    static let mounts = EarlierResult(
        MountInfoCollector.infoKey, "the mounts of the node, as mountInfoCollector leaves them; read anew where there are none")
    static let resultKey = "diagnoser.kubernetes.subpath_remount.result"
    static let linkKey = "diagnoser.kubernetes.subpath_remount.bug_link"
    static let sourceKey = "diagnoser.kubernetes.subpath_remount.original_source_path"
    static let destinationKey = "diagnoser.kubernetes.subpath_remount.original_destination_path"
    private static let link = "https://github.com/kubernetes/kubernetes/issues/68211"

    static let declaration = BuiltInDeclaration(
        "subpathRemountDiagnoser",
        "Looks for a container that can't be started since what it mounts by a subpath of a config map or secret was replaced.",
        parameters: [pod.parameter.definition, mounts.parameter.definition],
        results: [
            .init(resultKey, .string("What it is, in a sentence.")), .init(linkKey, .string("Where Kubernetes' defect is described.")),
            .init(sourceKey, .string("The root of the stale mount, within its file system.")),
            .init(destinationKey, .string("The mount point of the stale mount.")),
        ], privileges: ["root, to read the node's mounts where they are not given"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        guard let pod = try await Self.pod.json(context, host) else { throw .parameter(Self.pod.key, "is needed") }
        guard pod["spec"]?.objectValue != nil else { throw .parameter(Self.pod.key, "must be a pod") }
        guard Self.hasSubpath(pod) else { return .ruledOut("no container of the pod mounts a subpath of a config map or secret") }
        let messages = Self.messages(pod)
        guard let message = messages.first(where: Self.isOfRemount), let source = Self.source(message) else {
            return .ruledOut("no container of the pod says that a subpath can't be mounted")
        }
        let given = try await Self.mounts.text(context, host).map { Array($0.utf8) }
        let bytes: [UInt8]
        if let given { bytes = given } else { bytes = try await MountInfoCollector.read(host) }
        let mount = MountTable.mountInfo(bytes).first { $0.point == source && SubpathMount.isDeleted($0) }
        guard let mount else { return .ruledOut("the node has no mount at \(source) whose source is gone") }
        return .done([
            .init(
                Self.resultKey,
                .text("The mount at \(mount.point) holds a source that was replaced, so that the container can't be started again.")),
            .init(Self.linkKey, .text(Self.link)), .init(Self.sourceKey, .text(mount.root)), .init(Self.destinationKey, .text(mount.point)),
        ])
    }

    private static func hasSubpath(_ pod: JSON) -> Bool {
        let sources = (pod[path: "spec", "volumes"]?.arrayValue ?? []).filter { $0["configMap"] != nil || $0["secret"] != nil }
        let names = Set(sources.compactMap { $0["name"]?.stringValue })
        let containers = (pod[path: "spec", "containers"]?.arrayValue ?? []) + (pod[path: "spec", "initContainers"]?.arrayValue ?? [])
        return containers.flatMap { $0["volumeMounts"]?.arrayValue ?? [] }.contains { mount in
            let subpath = (mount["subPath"] ?? mount["subPathExpr"])?.stringValue ?? ""
            return !subpath.isEmpty && mount["name"]?.stringValue.map(names.contains) == true
        }
    }

    private static func messages(_ pod: JSON) -> [String] {
        let statuses = ["containerStatuses", "initContainerStatuses"].flatMap { pod[path: "status", $0]?.arrayValue ?? [] }
        return statuses.filter { $0["ready"]?.boolValue != true }.flatMap { status in
            [
                status[path: "lastState", "terminated", "message"], status[path: "state", "waiting", "message"],
                status[path: "state", "terminated", "message"],
            ].compactMap { $0?.stringValue }
        }
    }

    /// In runc's words: mounting "SOURCE" to rootfs … at …: no such file or directory.
    private static func isOfRemount(_ message: String) -> Bool {
        var rest = message[...]
        for part in ["mounting", "volume-subpaths", "to rootfs", "at", "no such file or directory"] {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }

    /// The path between the quotation marks, which may be escaped.
    private static func source(_ message: String) -> String? {
        guard let start = message.firstRange(of: "mounting")?.upperBound else { return nil }
        let parts = message[start...].split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var path = parts[1]
        while path.last == "\\" { path.removeLast() }
        return SubpathMount.isSubpath(String(path)) ? String(path) : nil
    }
}

/// Unmounts the stale mount of a subpath, so that the kubelet makes it anew.
struct SubpathRemountRecover: ProcessorOperation {
    static let destination = Parameter<String>.required(
        SubpathRemountDiagnoser.destinationKey,
        TextRule("the mount point of a subpath: …/pods/UID/volume-subpaths/VOLUME/CONTAINER/INDEX", SubpathMount.isSubpath),
        "the mount point of the stale mount, as subpathRemountDiagnoser leaves it")
    static let resultKey = "recover.kubernetes.subpath_remount.result"
    static let umount = BuiltInDeclaration.Tool("umount", package: "mount")

    static let declaration = BuiltInDeclaration(
        "subpathRemountRecover", "Unmounts the mount of a subpath whose source is gone.", effect: .mutate,
        parameters: [destination.definition], results: [.init(resultKey, .string("What was unmounted, in a sentence."))],
        privileges: ["root"], tools: [umount, NodeNamespaces.nsenter])

    func plan(_ context: BuiltInContext) -> String {
        "Would unmount \(context[Self.destination]) if its source is gone."
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let point = context[Self.destination]
        let mounts = MountTable.mountInfo(try await MountInfoCollector.read(host)).filter { $0.point == point }
        guard let mount = mounts.last else { return .ruledOut("nothing is mounted at \(point)") }
        guard SubpathMount.isDeleted(mount) else { return .ruledOut("what is mounted at \(point) still has its source") }
        let output = try await NodeNamespaces(host: host).run(Self.umount, ["--no-canonicalize", "--", point], seconds: 30)
        guard output.status == 0 else { throw .failed("umount \(point): \(output.lastLine)") }
        return .done([.init(Self.resultKey, .text("Unmounted \(point), whose source is gone."))])
    }
}
