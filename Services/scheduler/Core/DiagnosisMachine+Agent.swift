import Model

// MARK: What happens to the agent

extension DiagnosisMachine {
    mutating func applyLapse(at now: Timestamp) -> Decision {
        guard case .dispatched(var dispatch) = stage, dispatch.unknownSince == nil else { return Decision() }
        dispatch.unknownSince = now
        stage = .dispatched(dispatch)
        return Decision(durability: .soon)
    }

    mutating func applyPresence(of journal: JournalID, at now: Timestamp) -> Decision {
        switch stage {
        case .resolving(let hold):
            guard hold != nil, retry.resolveAt != nil else { return Decision() }
            retry.resolveAt = nil
            return Decision([.resolve])
        case .queued, .finished:
            return Decision()
        case .dispatched(let dispatch):
            return dispatch.journal == journal ? applyReturn(of: dispatch) : applyChange(of: dispatch, to: journal, at: now)
        }
    }

    private mutating func applyReturn(of before: Dispatch) -> Decision {
        var dispatch = before
        var actions: [Action] = []
        dispatch.unknownSince = nil
        if isCancelRequested {
            retry.cancelAt = nil
            actions = [.sendCancel(attempt: dispatch.attempt)]
        } else if dispatch.exposure != .accepted, !dispatch.isSending {
            retry.sendAt = nil
            dispatch.isSending = true
            actions = [.send(attempt: dispatch.attempt)]
        }
        stage = .dispatched(dispatch)
        return Decision(actions, durability: before.unknownSince == nil ? .none : .soon)
    }

    /// Another journal answers for the node: what the old one knew is lost, and with it the count of what already ran.
    private mutating func applyChange(of before: Dispatch, to journal: JournalID, at now: Timestamp) -> Decision {
        if isCancelRequested { return finish(cancellation, by: .scheduler, at: now) }
        guard before.everyStepReads || before.isHarmless else {
            let message =
                "agent \(before.node) came back without its journal, and the plan has steps that change things: what ran is unknown"
            return finish(Failure(.agentJournalLost, message), by: .scheduler, at: now)
        }
        var dispatch = before
        dispatch.journal = journal
        dispatch.attempt += 1
        dispatch.lastSeq = 0
        dispatch.unknownSince = nil
        dispatch.exposure = .none
        dispatch.isSending = true
        dispatch.isCancelAcknowledged = false
        dispatch.problem = nil
        stage = .dispatched(dispatch)
        retry = Retry()
        return Decision([.send(attempt: dispatch.attempt)], durability: .now)
    }

    mutating func applyRemoval(at now: Timestamp) -> Decision {
        guard let node else { return Decision() }
        let failure = Failure(.agentRemoved, "agent \(node) was removed while this was unfinished")
        return finish(isCancelRequested ? cancellation : failure, by: .scheduler, at: now)
    }
}

// MARK: Deadlines

extension DiagnosisMachine {
    /// When to apply `.clock` next; nil when nothing is due by itself.
    package func nextDeadline(after now: Timestamp, limits: LifecycleLimits, surroundings: Surroundings = Surroundings()) -> Timestamp? {
        switch stage {
        case .finished: return nil
        case .resolving, .queued:
            return [retry.earliest, pendingDeadline(limits, surroundings)].compactMap { $0 }.min()
        case .dispatched(let dispatch):
            var end = endDeadline(of: dispatch, limits)
            // What is held back by a mass lapse is looked at again after a while: its end is known to nobody.
            if dispatch.unknownSince != nil, surroundings.isMassLapse { end = max(end, now.adding(seconds: limits.retrySecondsMax)) }
            let pending = dispatch.isUntaken ? pendingDeadline(limits, surroundings) : nil
            return [retry.earliest, end, pending].compactMap { $0 }.min()
        }
    }

    /// The seconds in which the agent may still start steps; at most 0 once the deadline has passed.
    package func remainingSeconds(at now: Timestamp) -> Double {
        guard let dispatch else { return activeDeadlineSeconds }
        return dispatch.pinnedAt.adding(seconds: activeDeadlineSeconds).seconds(since: now)
    }

    mutating func applyClock(at now: Timestamp, _ limits: LifecycleLimits, _ surroundings: Surroundings) -> Decision {
        switch stage {
        case .finished: return Decision()
        case .resolving, .queued:
            if let end = pendingDeadline(limits, surroundings), now >= end {
                return finish(waitedTooLong(surroundings), by: .scheduler, at: now)
            }
            guard let at = retry.resolveAt, now >= at else { return Decision() }
            retry.resolveAt = nil
            return Decision([.resolve])
        case .dispatched(let dispatch):
            if now >= endDeadline(of: dispatch, limits) { return expire(dispatch, at: now, limits, surroundings) }
            if dispatch.isUntaken, let end = pendingDeadline(limits, surroundings), now >= end {
                return finish(waitedTooLong(surroundings), by: .scheduler, at: now)
            }
            return retryErrands(of: dispatch, at: now)
        }
    }

    private mutating func retryErrands(of before: Dispatch, at now: Timestamp) -> Decision {
        var dispatch = before
        var actions: [Action] = []
        if let at = retry.sendAt, now >= at, !dispatch.isSending {
            retry.sendAt = nil
            dispatch.isSending = true
            actions.append(.send(attempt: dispatch.attempt))
        }
        if let at = retry.cancelAt, now >= at {
            retry.cancelAt = nil
            actions.append(.sendCancel(attempt: dispatch.attempt))
        }
        stage = .dispatched(dispatch)
        return Decision(actions)
    }

    private mutating func expire(
        _ dispatch: Dispatch, at now: Timestamp, _ limits: LifecycleLimits, _ surroundings: Surroundings
    ) -> Decision {
        let failure: Failure
        if let since = dispatch.unknownSince {
            guard !surroundings.isMassLapse else { return retryErrands(of: dispatch, at: now) }
            let silent = Int(now.seconds(since: since))
            failure = Failure(.agentLost, "agent \(dispatch.node) was not heard of for \(silent) s; what it ran since is unknown")
        } else {
            failure = Failure(.deadlineExceeded, "not finished within \(Int(activeDeadlineSeconds)) s of its dispatch")
        }
        var decision = finish(isCancelRequested ? cancellation : failure, by: .scheduler, at: now)
        decision.actions = [.sendCancel(attempt: dispatch.attempt)]
        return decision
    }

    private func pendingDeadline(_ limits: LifecycleLimits, _ surroundings: Surroundings) -> Timestamp? {
        guard !surroundings.isPaused else { return nil }
        return max(createdAt, surroundings.resumedAt ?? createdAt).adding(seconds: limits.pendingSecondsMax)
    }

    /// The end of a dispatched diagnosis that nobody reports about.
    ///
    /// The agent starts no step after the run's deadline, so an Unknown one that may have changed things is given up only past that: no
    /// forgotten agent works beside a successor.
    private func endDeadline(of dispatch: Dispatch, _ limits: LifecycleLimits) -> Timestamp {
        let run = dispatch.pinnedAt.adding(seconds: activeDeadlineSeconds + limits.deadlineGraceSeconds)
        guard let since = dispatch.unknownSince else { return run }
        let silence = since.adding(seconds: limits.unknownSecondsMax)
        return dispatch.everyStepReads || dispatch.isHarmless ? silence : max(silence, run)
    }

    private func waitedTooLong(_ surroundings: Surroundings) -> Failure {
        let waited: String
        switch stage {
        case .queued(let node) where surroundings.isBeyondBlastRadius:
            return Failure(.blastRadius, "Pending for too long: it changes \(node), and as many nodes as may be were being changed")
        case .resolving(let hold?): waited = hold.failure.message
        case .resolving(nil): waited = "its target was not resolved"
        case .queued(let node): waited = "agent \(node) had no free slot or was not ready"
        case .dispatched(let dispatch): waited = "agent \(dispatch.node) did not take it: \(dispatch.problem ?? "no answer")"
        case .finished: waited = ""
        }
        return Failure(.agentNotReady, "Pending for too long: \(waited)")
    }
}
