import Model

extension DiagnosisMachine {
    /// Why a diagnosis can't be queued yet.
    package struct Hold: Sendable, Hashable, Codable {
        package var failure: Failure
        /// When it first stood in the way; nil for what has no grace to run out (a service that can't be reached).
        package var graceSince: Timestamp?

        package init(failure: Failure, graceSince: Timestamp?) {
            self.failure = failure
            self.graceSince = graceSince
        }
    }

    /// What is frozen when a diagnosis first leaves the queue.
    package struct Pin: Sendable, Hashable, Codable {
        package var node: NodeName
        package var journal: JournalID
        package var planHash: String
        /// Nothing in the plan changes anything, so running it again does no harm.
        package var everyStepReads: Bool

        package init(node: NodeName, journal: JournalID, planHash: String, everyStepReads: Bool) {
            self.node = node
            self.journal = journal
            self.planHash = planHash
            self.everyStepReads = everyStepReads
        }
    }

    /// How far an attempt may have got into its agent's journal.
    package enum Exposure: Sendable, Hashable {
        /// Proof that the agent does not have it.
        case none
        /// It may have been sent: what a restarted scheduler has to assume.
        case possible
        case accepted
    }

    /// One attempt at having an agent run the plan.
    package struct Dispatch: Sendable, Hashable, Codable {
        package var node: NodeName
        package var journal: JournalID
        package var planHash: String
        package var everyStepReads: Bool
        package var attempt: Int
        package var pinnedAt: Timestamp
        package var isRunning = false
        package var unknownSince: Timestamp?
        /// The `seq` of the last report that was applied; 0 before the first.
        package var lastSeq: Int64 = 0
        /// Known to this process only.
        package var exposure = Exposure.none
        package var isSending = false
        package var isCancelAcknowledged = false
        /// Why the last PUT did not get through.
        package var problem: String?

        /// Nothing of this attempt can be running anywhere.
        var isHarmless: Bool { exposure == .none && !isSending }
        /// Still Pending, and certainly not in the agent's journal.
        var isUntaken: Bool { isHarmless && !isRunning && unknownSince == nil }

        init(pin: Pin, attempt: Int, pinnedAt: Timestamp) {
            node = pin.node
            journal = pin.journal
            planHash = pin.planHash
            everyStepReads = pin.everyStepReads
            self.attempt = attempt
            self.pinnedAt = pinnedAt
        }

        private enum CodingKeys: String, CodingKey {
            case node, journal, planHash, everyStepReads, attempt, pinnedAt, isRunning, unknownSince, lastSeq
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            node = try container.decode(NodeName.self, forKey: .node)
            journal = try container.decode(JournalID.self, forKey: .journal)
            planHash = try container.decode(String.self, forKey: .planHash)
            everyStepReads = try container.decode(Bool.self, forKey: .everyStepReads)
            attempt = try container.decode(Int.self, forKey: .attempt)
            pinnedAt = try container.decode(Timestamp.self, forKey: .pinnedAt)
            isRunning = try container.decode(Bool.self, forKey: .isRunning)
            unknownSince = try container.decodeIfPresent(Timestamp.self, forKey: .unknownSince)
            lastSeq = try container.decode(Int64.self, forKey: .lastSeq)
            exposure = .possible
        }
    }

    /// Who said that it is over.
    package enum Author: String, Sendable, Hashable, Codable {
        case agent, scheduler
    }

    /// The end of a diagnosis.
    package struct Ending: Sendable, Hashable, Codable {
        package var succeeded: Bool
        package var failure: Failure?
        package var at: Timestamp
        package var author: Author
        package var node: NodeName?
        package var dispatch: Dispatch?
        /// An agent's terminal report came after the scheduler had given up, and was kept beside the outcome.
        package var hasLateOutcome = false
    }

    /// The pauses between errands.
    package struct Retry: Sendable, Hashable {
        package var resolveAt: Timestamp?
        package var sendAt: Timestamp?
        package var cancelAt: Timestamp?
        /// Since when, in this process' life, what comes in its own time has been waited for.
        var waitingSince: Timestamp?
        var resolveFailures = 0
        var sendFailures = 0
        var cancelFailures = 0

        init() {}

        var earliest: Timestamp? { [resolveAt, sendAt, cancelAt].compactMap { $0 }.min() }
    }

    /// An agent's cumulative snapshot, reduced to what decides.
    package struct Report: Sendable, Hashable {
        package enum Outcome: Sendable, Hashable {
            case running
            case succeeded
            case failed(Failure)
        }
        package var attempt: Int
        /// Grows with every report of an attempt, from 1.
        package var seq: Int64
        package var outcome: Outcome

        package init(attempt: Int, seq: Int64, outcome: Outcome) {
            self.attempt = attempt
            self.seq = seq
            self.outcome = outcome
        }

        package var isTerminal: Bool { outcome != .running }
    }
}
