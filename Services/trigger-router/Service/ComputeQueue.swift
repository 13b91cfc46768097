import Dispatch

/// Runs long computations one after another, off the threads that all handlers share.
final class ComputeQueue: Sendable {
    /// Large bodies in and out.
    static let documents = ComputeQueue("trigger-router.documents")
    /// The index of the triggers.
    static let compiling = ComputeQueue("trigger-router.compiling")
    /// Answers to people, who ask every trigger.
    static let explaining = ComputeQueue("trigger-router.explaining")

    private let queue: DispatchQueue

    private init(_ label: String) {
        queue = DispatchQueue(label: label)
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
