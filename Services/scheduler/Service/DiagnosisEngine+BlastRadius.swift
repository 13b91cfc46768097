import Model
import SchedulerCore

/// Of `GET /api/v1/scheduler`: the nodes that are being changed, and who waits for that.
struct BlastRadiusOverview: Codable, Sendable {
    /// As it was set: a number of nodes, a percentage, or `off`.
    var limit: String
    /// What that means with the agents that are ready now; absent without a limit.
    var nodesMax: Int?
    /// The first hundred.
    var nodes: [NodeName]
    var nodeCount: Int
    /// Diagnoses that are held back.
    var waiting: Int
}

extension DiagnosisEngine {
    static let blastRadiusRetrySeconds = 1.0
    private static let nodesShownMax = 100

    var blastRadiusOverview: BlastRadiusOverview {
        BlastRadiusOverview(
            limit: blastRadius.limit.text, nodesMax: blastRadius.nodesMax(ready: registry.readyCount),
            nodes: Array(blastRadius.nodes.prefix(Self.nodesShownMax)), nodeCount: blastRadius.nodeCount,
            waiting: blastRadius.waitingCount)
    }

    /// What a diagnosis that is not dispatched waits for.
    func waiting(_ entry: DiagnosisEntry) -> StatusDocument.Waiting {
        if blastRadius.isHeld(entry.uid), let most = blastRadius.nodesMax(ready: registry.readyCount) {
            return .blastRadius(nodes: blastRadius.nodeCount, nodesMax: most)
        }
        return .slot(ahead: queue.countAhead(of: entry.uid) ?? 0)
    }

    /// Gives the slot back that a diagnosis was granted: it would change one node more than may be.
    func holdBack(_ entry: DiagnosisEntry, on node: NodeName) {
        queue.remove(entry.uid)
        entry.object = entry.isWriting ? entry.object : nil
        metrics.blastRadiusHolds.increment()
        tell(DiagnosisNews(.normal, "HeldBack", "waiting: it would change one node more than may be changed at once"), of: entry)
        if entry.flushAt == nil, blastRadius.waitingCount <= Self.shownQueueMax {
            entry.flushAt = clock.now().adding(seconds: Self.flushSeconds)
        }
        arm(entry)
        showBlastRadius()
        pump(node)
        armBlastRadius()
    }

    /// Forgets a diagnosis that ended or left, and calls those that waited for it.
    func letGo(_ entry: DiagnosisEntry) {
        blastRadius.release(entry.uid)
        showBlastRadius()
        callHeldBack()
    }

    /// Sends those that may try again to the lanes of their nodes.
    func callHeldBack() {
        guard blastRadius.waitingCount > 0 else { return }
        for (uid, node) in blastRadius.call(ready: registry.readyCount) {
            guard case .queued(node)? = entries[uid]?.machine?.stage else {
                blastRadius.release(uid)
                continue
            }
            queue.enqueue(uid, on: node)
            pump(node)
        }
        showBlastRadius()
        armBlastRadius()
    }

    /// Sees to another call before long: one that was called may not come, for want of a slot, and the others must not wait for it.
    private func armBlastRadius() {
        let isAnyoneLeft = blastRadius.waitingCount > 0
        deadlines.set(.blastRadius, at: isAnyoneLeft ? clock.now().adding(seconds: Self.blastRadiusRetrySeconds) : nil)
        armTimer()
    }

    private func showBlastRadius() {
        metrics.blastRadiusNodes.set(blastRadius.nodeCount)
        metrics.blastRadiusWaiting.set(blastRadius.waitingCount)
    }
}
