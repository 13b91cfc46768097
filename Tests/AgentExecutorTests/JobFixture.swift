import Foundation
import Model

/// Jobs of script steps, made in one line.
enum JobFixture {
    static func script(
        _ text: String, args: [String]? = nil, key: String? = nil, effect: Effect? = nil, timeout: Int? = nil, attempts: Int? = nil,
        hostPath: String? = nil, execution: ExecutionSettings? = nil
    ) -> OperationSpec {
        OperationSpec(
            processor: Processor(
                scriptRunner: ScriptProcessor(script: text, argKeys: args, operationResultKey: key), timeoutSeconds: timeout,
                execution: execution),
            storage: hostPath.map { Storage(hostPath: .init(path: $0)) }, effect: effect, retry: attempts.map { Retry(maxAttempts: $0) })
    }

    /// A chain of operations unless edges are given.
    static func job(
        _ operations: [OperationSpec], edges: [[Int]]? = nil, parameters: [String: String] = [:], attempt: Int = 1, uid: UID? = nil,
        epoch: Int64 = 1, seconds: Double = 600
    ) -> Job {
        let chain = (0...operations.count).map { $0 < operations.count ? [$0 + 1] : [] }
        let vertices = (edges ?? chain).enumerated().map { index, to in
            Vertex(id: index, operation: index == 0 ? nil : "op\(index)", to: to)
        }
        let named = Dictionary(uniqueKeysWithValues: operations.enumerated().map { ("op\($0.offset + 1)", $0.element) })
        return Job(
            uid: uid ?? UID(UUID().uuidString.lowercased()), namespace: "kubediag", name: "test", node: NodeName("web-07"),
            dispatchAttempt: attempt, epoch: epoch, plan: Plan(operationSet: "set", hash: "h", vertices: vertices, operations: named),
            parameters: parameters, remainingSeconds: seconds, notAfterSeconds: seconds,
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    }
}
