import AgentExecutorCore

/// Whose turn it is to change the node: one run, or one call of a built-in operation, at a time, in the order in which they asked.
///
/// A run has its turn for one execution of one step, never while it pauses before a retry, so that nobody waits for a run that waits.
actor NodeTurns {
    private struct Claim {
        let key: JobKey
        let label: String
        var continuation: CheckedContinuation<Bool, Never>?
    }

    /// Who has the turn, and behind it who waits.
    private var claims: [Claim] = []

    /// Who is before the next one that comes.
    var queue: String {
        guard let first = claims.first else { return "nobody" }
        return claims.count == 1 ? first.label : "\(first.label), and \(claims.count - 1) more"
    }

    /// Takes the turn where nobody else has it.
    ///
    /// - Parameter label: what others are told they wait for.
    func takeNow(_ key: JobKey, _ label: String) -> Bool {
        if claims.isEmpty { claims.append(Claim(key: key, label: label)) }
        return claims[0].key == key
    }

    /// Waits for the turn; false when the task is cancelled or so many seconds have passed first.
    func take(_ key: JobKey, _ label: String, seconds: Double) async -> Bool {
        let timer = Task {
            try await Task.sleep(for: .seconds(seconds))
            giveUp(key)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume(returning: false) }
                if takeNow(key, label) { return continuation.resume(returning: true) }
                claims.append(Claim(key: key, label: label, continuation: continuation))
            }
        } onCancel: {
            Task { await self.giveUp(key) }
        }
    }

    /// Ends the turn of a run, if it has it; the next one's begins.
    func end(_ key: JobKey) {
        guard claims.first?.key == key else { return }
        claims.removeFirst()
        guard !claims.isEmpty else { return }
        claims[0].continuation?.resume(returning: true)
        claims[0].continuation = nil
    }

    private func giveUp(_ key: JobKey) {
        guard let index = claims.firstIndex(where: { $0.key == key && $0.continuation != nil }) else { return }
        claims.remove(at: index).continuation?.resume(returning: false)
    }
}
