/// Manifests as people write them.
enum Manifest {
    static func operation(_ name: String, script: String = "echo fine", timeout: Int? = 30, labels: String = "{}") -> String {
        """
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Operation
        metadata: {name: "\(name)", labels: \(labels)}
        spec:
          effect: Read
          processor:
            \(timeout.map { "timeoutSeconds: \($0)" } ?? "{}")
            scriptRunner: {script: "\(script)", operationResultKey: found}

        """.replacing("    {}\n", with: "")
    }

    static func operationSet(_ name: String, _ sequence: String..., labels: String = "{}") -> String {
        """
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: OperationSet
        metadata: {name: "\(name)", labels: \(labels)}
        spec: {sequence: [\(sequence.joined(separator: ", "))]}

        """
    }

    static func trigger(_ name: String, set: String = "none", alert: String, more: String = "") -> String {
        """
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Trigger
        metadata: {name: "\(name)"}
        spec:
          operationSet: "\(set)"
          nodeName: web-01
          sourceTemplate: {prometheusAlertTemplate: {regexp: {alertName: "^\(alert)$"}, nodeNameReferenceLabel: instance}}
        \(more)
        """
    }

    /// - Parameter spec: such as `{operationSet: disk, nodeName: web-01}`.
    static func diagnosis(_ name: String, spec: String, labels: String = "{}") -> String {
        """
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Diagnosis
        metadata: {name: "\(name)", labels: \(labels)}
        spec: \(spec)

        """
    }
}

extension Kubectl {
    /// Applies an operation and a set of it, both called like the namespace, and waits until the set is ready.
    func makeSet(script: String = "echo fine") async throws {
        _ = try await output(
            "apply -f -", input: Manifest.operation(namespace, script: script) + Manifest.operationSet(namespace, namespace))
        _ = try await output("wait --for=condition=Ready opset/\(namespace) --timeout=20s")
    }

    /// Creates a diagnosis of that set on web-01 and waits until it is complete.
    func makeDiagnosis(_ name: String, labels: String = "{}") async throws {
        _ = try await output(
            "create -f -", input: Manifest.diagnosis(name, spec: "{operationSet: \(namespace), nodeName: web-01}", labels: labels))
        _ = try await output("wait --for=condition=Complete diag/\(name) --timeout=30s")
    }
}
