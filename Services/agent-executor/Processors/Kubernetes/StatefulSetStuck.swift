import AgentOperations
import JSONCoding
import KubernetesConnection
import Model
import ResourceClient

/// Deletes a pod that keeps its stateful set from being rolled forward: one that can't pull its image, although the set has another by now.
///
/// With the pod management policy OrderedReady the controller waits for such a pod to become ready before it replaces it, which never
/// happens. What earlier operations saw says only which pod is meant: pod and set are read again, and the deletion is for that state of the
/// pod alone.
struct StatefulSetStuck: ProcessorOperation {
    let cluster: Cluster

    static let resultKey = "recover.kubernetes.statefulset_stuck.result"
    static let linkKey = "recover.kubernetes.statefulset_stuck.bug_link"
    private static let link = "https://github.com/kubernetes/kubernetes/issues/67250"
    static let pod = EarlierResult(PodDetailCollector.detailKey, "the pod, as podDetailCollector leaves it")
    static let set = EarlierResult(
        StatefulSetDetailCollector.resultKey, "its stateful set, as statefulsetDetailCollector leaves it; the pod's owner otherwise")

    static let declaration = BuiltInDeclaration(
        "statefulsetStuck",
        "Deletes a pod of a stateful set that can't pull its image although the set has another by now; the set makes it anew.",
        effect: .mutate,
        parameters: [
            pod.parameter.definition, set.parameter.definition, PodParameters.namespace.definition, PodParameters.name.definition,
        ],
        results: [
            .init(resultKey, .string("What was deleted, in a sentence.")),
            .init(linkKey, .string("Where Kubernetes' defect is described.")),
        ], privileges: ["get pods and statefulsets.apps", "delete pods"])

    func plan(_ context: BuiltInContext) -> String {
        let name = context[PodParameters.namespace].flatMap { namespace in context[PodParameters.name].map { "\(namespace)/\($0)" } }
        return "Would delete the pod \(name ?? "of \(Self.pod.key)") if it can't pull its image and its stateful set has another by now."
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let seen = try await Self.pod.json(context, host)
        guard let namespace = seen?.namespace ?? context[PodParameters.namespace], let name = seen?.name ?? context[PodParameters.name]
        else {
            throw .parameter(
                Self.pod.key, "is needed, or \(PodParameters.namespace.definition.key) and \(PodParameters.name.definition.key)")
        }
        let pod = try await cluster.get(KubernetesKinds.pods, namespace: namespace, name: name, context)
        guard let uid = pod.uid, let version = pod[path: "metadata", "resourceVersion"]?.stringValue else {
            throw .failed("the pod \(namespace)/\(name) has no uid or no version")
        }
        if let old = seen?.uid, old != uid { return .ruledOut("the pod \(namespace)/\(name) has been replaced meanwhile") }
        guard let owner = pod.owner(ofKind: "StatefulSet") else {
            return .ruledOut("the pod \(namespace)/\(name) belongs to no stateful set")
        }
        if let told = try await Self.set.json(context, host)?.name, told != owner {
            throw .parameter(Self.set.key, "is the stateful set \(told), and the pod belongs to \(owner)")
        }
        let set = try await cluster.get(KubernetesKinds.statefulSets, namespace: namespace, name: owner, context)
        guard let stuck = Self.stuckContainer(of: pod, in: set) else {
            return .ruledOut("no container of the pod \(namespace)/\(name) waits for an image that its stateful set no longer has")
        }
        let conditions = DeletePreconditions(uid: UID(uid), resourceVersion: version)
        try await cluster.delete(KubernetesKinds.pods, namespace: namespace, name: name, conditions, context)
        let text =
            "The pod \(namespace)/\(name) is deleted: its container \(stuck.name) could not pull \(stuck.image), "
            + "which the stateful set no longer has."
        return .done([.init(Self.resultKey, .text(text)), .init(Self.linkKey, .text(Self.link))])
    }

    private static let pullFailures: Set<String> = ["ImagePullBackOff", "ErrImagePull"]

    /// The first container that can't pull its image, where the set's container of that name has another.
    private static func stuckContainer(of pod: JSON, in set: JSON) -> (name: String, image: String)? {
        let wanted = images(set[path: "spec", "template", "spec", "containers"])
        let actual = images(pod[path: "spec", "containers"])
        for status in pod[path: "status", "containerStatuses"]?.arrayValue ?? [] {
            guard let name = status["name"]?.stringValue, let image = actual[name], image != wanted[name],
                let reason = status[path: "state", "waiting", "reason"]?.stringValue, pullFailures.contains(reason)
            else { continue }
            return (name, image)
        }
        return nil
    }

    private static func images(_ containers: JSON?) -> [String: String] {
        var images: [String: String] = [:]
        for container in containers?.arrayValue ?? [] {
            if let name = container["name"]?.stringValue { images[name] = container["image"]?.stringValue }
        }
        return images
    }
}
