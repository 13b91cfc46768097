public import JSONCoding

/// Objects of a cluster as its server shows them, for `KubernetesTestServer.put`.
public enum KubernetesObjects {
    public static func node(_ name: String, labels: [String: String] = [:], isReady: Bool = true) -> JSON {
        [
            "apiVersion": "v1", "kind": "Node",
            "metadata": ["name": .string(name), "labels": .object(labels.mapValues { .string($0) })],
            "spec": [:],
            "status": ["conditions": [["type": "Ready", "status": .string(isReady ? "True" : "False")]]],
        ]
    }

    /// - Parameter node: nil for a pod that is not scheduled yet.
    public static func pod(
        _ namespace: String, _ name: String, on node: String?, labels: [String: String] = [:], phase: String = "Running",
        uid: String? = nil
    ) -> JSON {
        var metadata: [String: JSON] = [
            "name": .string(name), "namespace": .string(namespace), "labels": .object(labels.mapValues { .string($0) }),
        ]
        if let uid { metadata["uid"] = .string(uid) }
        var spec: [String: JSON] = ["containers": [["name": "main", "image": "main"]]]
        var condition: [String: JSON] = ["type": "PodScheduled", "status": "True"]
        if let node {
            spec["nodeName"] = .string(node)
        } else {
            condition = [
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/2 nodes are available: 2 Insufficient cpu.",
            ]
        }
        return [
            "apiVersion": "v1", "kind": "Pod", "metadata": .object(metadata), "spec": .object(spec),
            "status": ["phase": .string(node == nil ? "Pending" : phase), "conditions": [.object(condition)]],
        ]
    }
}

extension KubernetesTestServer {
    /// A kubeconfig that leads here.
    ///
    /// - Parameter user: the user's entry as YAML on one line, such as `{tokenFile: /run/token}`.
    public func kubeconfig(user: String = "{}") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: test
        contexts: [{name: test, context: {cluster: here, user: me}}]
        clusters: [{name: here, cluster: {server: "\(url)"}}]
        users: [{name: me, user: \(user)}]

        """
    }
}
