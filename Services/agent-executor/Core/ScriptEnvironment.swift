import Model

/// The environment of a script: ids and parameters under `KUBEDIAG_…`, a fixed `PATH`, a home of its own, and what the operation adds;
/// results arrive on stdin alone.
///
/// A parameter `mount-point` becomes `KUBEDIAG_PARAM_MOUNT_POINT`: ASCII letters in upper case, every other byte but a digit as `_`.
/// A value of more than 32 KiB, one that contains a NUL, what no longer fits into 128 KiB in all and the second of two names that
/// fall together are left out; their keys stand in `KUBEDIAG_OMITTED`, separated by spaces.
public struct ScriptEnvironment: Sendable, Equatable {
    public static let valueBytesMax = 32 * 1024
    public static let totalBytesMax = 128 * 1024
    public static let omittedBytesMax = 4 * 1024
    public static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    public private(set) var variables: [String: String]
    /// Keys of parameters that were left out.
    public private(set) var omitted: [String] = []

    /// - Parameter home: the execution's own folder, for `HOME` and `TMPDIR`.
    public init(job: Job, operation: String, spec: OperationSpec, stepAttempt: Int, home: String) {
        variables = spec.processor.execution?.environment ?? [:]
        variables.merge([
            "PATH": Self.path,
            "HOME": home,
            "TMPDIR": home,
            "KUBEDIAG_DIAGNOSIS_UID": job.uid.rawValue,
            "KUBEDIAG_DIAGNOSIS_NAMESPACE": job.namespace,
            "KUBEDIAG_DIAGNOSIS_NAME": job.name,
            "KUBEDIAG_NODE": job.node.rawValue,
            "KUBEDIAG_OPERATION": operation,
            "KUBEDIAG_STEP_ATTEMPT": String(stepAttempt),
        ]) { _, own in own }
        if variables["LANG"] == nil { variables["LANG"] = "C.UTF-8" }
        if let pod = job.pod {
            variables["KUBEDIAG_POD_NAMESPACE"] = pod.namespace
            variables["KUBEDIAG_POD_NAME"] = pod.name
            variables["KUBEDIAG_CONTAINER"] = pod.container
        }
        if let traceparent = job.traceparent { variables["TRACEPARENT"] = traceparent }
        add((spec.parameters ?? [:]).merging(job.parameters) { _, job in job })
    }

    private mutating func add(_ parameters: [String: String]) {
        var total = variables.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }
        for (key, value) in parameters.sorted(by: { $0.key < $1.key }) {
            let name = Self.variableName(of: key)
            let size = name.utf8.count + value.utf8.count + 2
            let isUsable = value.utf8.count <= Self.valueBytesMax && !value.utf8.contains(0) && variables[name] == nil
            guard isUsable, total + size <= Self.totalBytesMax - Self.omittedBytesMax else {
                omitted.append(key)
                continue
            }
            variables[name] = value
            total += size
        }
        guard !omitted.isEmpty else { return }
        let list = omitted.map { $0.filter { !$0.isWhitespace && $0 != "\0" } }.joined(separator: " ")
        variables["KUBEDIAG_OMITTED"] = Text.prefix(list, bytesMax: Self.omittedBytesMax - 64)
    }

    public static func variableName(of key: String) -> String {
        let bytes = key.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7A: byte - 0x20
            case 0x41...0x5A, 0x30...0x39: byte
            default: UInt8(ascii: "_")
            }
        }
        return "KUBEDIAG_PARAM_" + String(decoding: bytes, as: UTF8.self)
    }
}
