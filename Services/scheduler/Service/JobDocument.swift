import JSONCoding
import Model
import SchedulerCore

/// A job as it is sent: everything but the plan is encoded here, and the plan's pinned bytes are spliced in.
struct JobDocument: Encodable, Sendable {
    private var uid: UID
    private var namespace: String
    private var name: String
    private var node: NodeName
    private var dispatchAttempt: Int
    private var epoch: Int64
    private var parameters: [String: String]
    private var pod: PodReference?
    private var remainingSeconds: Double
    private var notAfterSeconds: Double
    private var dryRun: Bool
    private var traceparent: String?

    init(_ diagnosis: Diagnosis, dispatch: DiagnosisMachine.Dispatch, epoch: Int64, remainingSeconds: Double) {
        uid = diagnosis.uid
        namespace = diagnosis.namespace
        name = diagnosis.name
        node = dispatch.node
        dispatchAttempt = dispatch.attempt
        self.epoch = epoch
        parameters = diagnosis.spec.parameters ?? [:]
        // Of several pods none is the one; of several nodes each may have one of them.
        if let reference = diagnosis.spec.podReference {
            pod = reference
        } else if case .pods(let pods)? = diagnosis.spec.target, pods.count == 1 {
            pod = pods[0]
        }
        self.remainingSeconds = remainingSeconds
        notAfterSeconds = remainingSeconds
        dryRun = diagnosis.spec.dryRun ?? false
        traceparent = diagnosis.metadata.annotations?[WellKnown.traceparentAnnotation]
    }

    func encoded(plan: [UInt8]) throws -> [UInt8] {
        var bytes = try JSON.encode(self)
        bytes.removeLast()
        bytes += ",\"plan\":".utf8
        bytes += plan
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
