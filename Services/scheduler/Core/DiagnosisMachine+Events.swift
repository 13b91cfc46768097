import Model

extension DiagnosisMachine {
    /// What may happen to a diagnosis.
    package enum Event: Sendable, Hashable {
        /// Somebody looked for its node and its plan.
        case resolved(Resolution)
        /// A slot is granted and the plan is at hand: write the intent down.
        case pin(Pin)
        /// What became of sending attempt `attempt` to its agent.
        case sent(attempt: Int, SendResult)
        /// What became of telling the agent to cancel attempt `attempt`.
        case cancelSent(attempt: Int, CancelResult)
        case report(Report)
        /// The lease of its agent ran out.
        case agentLapsed
        /// Its agent registered, or was heard of again after a lapse; `journal` is the one it has now.
        case agentPresent(journal: JournalID)
        /// The Agent object was deleted.
        case agentRemoved
        case cancelRequested
        case deletionRequested
        /// A deadline may have passed.
        case clock
    }

    package enum Resolution: Sendable, Hashable {
        case ready(NodeName)
        /// What is missing may still appear within the grace.
        case missing(Failure)
        /// What is missing comes in its own time, or Kubernetes can't be asked now; waits for as long as `targetSecondsMax` allows.
        case waiting(Failure)
        /// The target is several nodes: this diagnosis becomes the parent of one for each.
        case several([NodeName])
        /// Who knows can't be asked now; waits for as long as a diagnosis may be Pending.
        case unavailable(Failure)
        case impossible(Failure)
    }

    package enum SendResult: Sendable, Hashable {
        /// It is in the agent's journal.
        case accepted
        /// A timeout or a broken connection: it may have arrived.
        case ambiguous(String)
        /// The connection never came about.
        case neverSent(String)
        /// The agent said that it did not take it, and when to ask again.
        case refused(String, retryAfterSeconds: Double)
        /// The agent will never take it.
        case rejected(Failure)
        /// The agent holds a tombstone for the attempt, or has ended it.
        case cancelled
    }

    package enum CancelResult: Sendable, Hashable {
        /// The agent ends the run and will report.
        case acknowledged
        /// The attempt never ran there and never will.
        case neverRan
        case failed(String)
    }

    /// What the owner has to do once the state is written.
    package enum Action: Sendable, Hashable {
        /// Look for the node and the plan.
        case resolve
        /// Go on as the parent of a diagnosis for each of these nodes.
        case split([NodeName])
        /// Wait in the queue of `node`.
        case enqueue(NodeName)
        /// PUT the job of attempt `attempt` to the agent.
        case send(attempt: Int)
        case sendCancel(attempt: Int)
    }

    /// How much of a decision must be on disk before its actions are performed.
    package enum Durability: Int, Sendable, Comparable {
        case none
        /// Worth showing, harmless to lose: may be written with what comes next.
        case soon
        case now

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a report is answered.
    package enum Verdict: Sendable, Hashable {
        /// Applied; its content becomes the status.
        case applied
        /// Known already: acknowledged and dropped.
        case ignored
        /// Of an attempt that is no longer, or never was, the current one: final.
        case stale
        /// The first terminal report after the scheduler had ended it: kept as `lateOutcome`.
        case late
    }

    package struct Decision: Sendable, Hashable {
        package var actions: [Action] = []
        package var durability = Durability.none
        package var verdict: Verdict?

        init(_ actions: [Action] = [], durability: Durability = .none, verdict: Verdict? = nil) {
            self.actions = actions
            self.durability = durability
            self.verdict = verdict
        }
    }
}
