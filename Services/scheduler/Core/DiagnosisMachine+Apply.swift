import Model

extension DiagnosisMachine {
    /// Applies one event. The caller writes the new state down as `durability` asks before it performs the actions.
    package mutating func apply(
        _ event: Event, at now: Timestamp, limits: LifecycleLimits, surroundings: Surroundings = Surroundings()
    ) -> Decision {
        switch event {
        case .report(let report): return apply(report, at: now)
        case _ where isFinished: return Decision()
        case .resolved(let resolution): return apply(resolution, at: now, limits)
        case .pin(let pin): return apply(pin, at: now)
        case .sent(let attempt, let result): return applySent(attempt, result, at: now, limits)
        case .cancelSent(let attempt, let result): return applyCancelSent(attempt, result, at: now, limits)
        case .agentLapsed: return applyLapse(at: now)
        case .agentPresent(let journal): return applyPresence(of: journal, at: now)
        case .agentRemoved: return applyRemoval(at: now)
        case .cancelRequested: return applyCancel(at: now)
        case .deletionRequested:
            isDeletionRequested = true
            return applyCancel(at: now)
        case .clock: return applyClock(at: now, limits, surroundings)
        }
    }

    /// The actions that a scheduler which has just read this state from disk owes it.
    package mutating func recover() -> [Action] {
        switch stage {
        case .resolving, .queued:
            stage = .resolving(nil)
            return [.resolve]
        case .dispatched(var dispatch):
            // The intent was durable before the first PUT, so the agent may have it: the same attempt is sent again.
            let action: Action = isCancelRequested ? .sendCancel(attempt: dispatch.attempt) : .send(attempt: dispatch.attempt)
            dispatch.isSending = !isCancelRequested
            stage = .dispatched(dispatch)
            return [action]
        case .finished: return []
        }
    }

    mutating func finish(_ failure: Failure?, by author: Author, at now: Timestamp) -> Decision {
        stage = .finished(
            Ending(succeeded: failure == nil, failure: failure, at: now, author: author, node: node, dispatch: dispatch))
        retry = Retry()
        return Decision(durability: .now)
    }
}

// MARK: Before the dispatch

extension DiagnosisMachine {
    private mutating func apply(_ resolution: Resolution, at now: Timestamp, _ limits: LifecycleLimits) -> Decision {
        let hold: Hold?
        switch stage {
        case .resolving(let before): hold = before
        case .queued: hold = nil  // a slot was granted, and then the plan could not be had
        case .dispatched, .finished: return Decision()
        }
        switch resolution {
        case .ready(let node):
            guard stage != .queued(node) else { return Decision() }
            stage = .queued(node)
            retry = Retry()
            return Decision([.enqueue(node)], durability: .soon)
        case .impossible(let failure):
            return finish(failure, by: .scheduler, at: now)
        case .missing(let failure):
            let since = hold?.graceSince ?? now
            let end = since.adding(seconds: limits.resolveGraceSeconds)
            if now >= end { return finish(failure, by: .scheduler, at: now) }
            return wait(Hold(failure: failure, graceSince: since), insteadOf: hold, until: end, at: now, limits)
        case .waiting(let failure):
            let since = retry.waitingSince ?? now
            retry.waitingSince = since
            let end = max(createdAt.adding(seconds: limits.targetSecondsMax), since.adding(seconds: limits.resolveGraceSeconds))
            if now >= end { return finish(failure, by: .scheduler, at: now) }
            return wait(Hold(failure: failure, graceSince: nil), insteadOf: hold, until: end, at: now, limits)
        case .several(let nodes):
            guard case .resolving = stage else { return Decision() }
            return Decision([.split(nodes)])
        case .unavailable(let failure):
            return wait(Hold(failure: failure, graceSince: nil), insteadOf: hold, until: nil, at: now, limits)
        }
    }

    private mutating func wait(
        _ hold: Hold, insteadOf before: Hold?, until end: Timestamp?, at now: Timestamp, _ limits: LifecycleLimits
    ) -> Decision {
        stage = .resolving(hold)
        retry.resolveFailures += 1
        let next = now.adding(seconds: limits.pause(afterFailures: retry.resolveFailures))
        retry.resolveAt = end.map { min($0, next) } ?? next
        return Decision(durability: hold.failure == before?.failure ? .none : .soon)
    }

    private mutating func apply(_ pin: Pin, at now: Timestamp) -> Decision {
        guard case .queued(pin.node) = stage else { return Decision() }
        var dispatch = Dispatch(pin: pin, attempt: 1, pinnedAt: now)
        dispatch.isSending = true
        stage = .dispatched(dispatch)
        retry = Retry()
        return Decision([.send(attempt: dispatch.attempt)], durability: .now)
    }
}

// MARK: Sending

extension DiagnosisMachine {
    private mutating func applySent(
        _ attempt: Int, _ result: SendResult, at now: Timestamp, _ limits: LifecycleLimits
    ) -> Decision {
        guard case .dispatched(var dispatch) = stage, dispatch.attempt == attempt else { return Decision() }
        let hadProblem = dispatch.problem != nil
        dispatch.isSending = false
        dispatch.problem = nil
        defer {
            if case .dispatched = stage { stage = .dispatched(dispatch) }
        }
        switch result {
        case .accepted:
            dispatch.exposure = .accepted
            retry.sendAt = nil
            retry.sendFailures = 0
        case .cancelled where dispatch.exposure != .accepted:
            return finish(cancellation, by: .scheduler, at: now)
        case .rejected(let failure) where dispatch.exposure != .accepted:
            return finish(isCancelRequested ? cancellation : failure, by: .scheduler, at: now)
        case .refused(let message, let seconds) where dispatch.exposure != .accepted:
            // No proof if an earlier PUT may still be on its way: that one can be taken yet.
            dispatch.problem = message
            if isCancelRequested {
                if dispatch.exposure == .none { return finish(cancellation, by: .scheduler, at: now) }
                break
            }
            retry.sendAt = now.adding(seconds: max(limits.retrySecondsMin, min(seconds, limits.retrySecondsMax)))
        case .ambiguous(let message), .neverSent(let message):
            guard dispatch.exposure != .accepted else { break }  // a report overtook the answer
            if case .ambiguous = result { dispatch.exposure = .possible }
            dispatch.problem = message
            if isCancelRequested {
                if dispatch.exposure == .none { return finish(cancellation, by: .scheduler, at: now) }
                break
            }
            retry.sendFailures += 1
            retry.sendAt = now.adding(seconds: limits.pause(afterFailures: retry.sendFailures))
        case .cancelled, .rejected, .refused:
            break  // it was accepted before: what it became comes as a report
        }
        // That it does not get through is worth showing; how it fails each time is not.
        return Decision(durability: hadProblem == (dispatch.problem != nil) ? .none : .soon)
    }

    private mutating func applyCancelSent(
        _ attempt: Int, _ result: CancelResult, at now: Timestamp, _ limits: LifecycleLimits
    ) -> Decision {
        guard case .dispatched(var dispatch) = stage, dispatch.attempt == attempt else { return Decision() }
        switch result {
        case .neverRan where dispatch.exposure != .accepted:
            return finish(cancellation, by: .scheduler, at: now)
        case .acknowledged, .neverRan:  // what it accepted has ended there, and its report is on its way
            dispatch.isCancelAcknowledged = true
            stage = .dispatched(dispatch)
            retry.cancelAt = nil
            retry.cancelFailures = 0
        case .failed:
            retry.cancelFailures += 1
            retry.cancelAt = now.adding(seconds: limits.pause(afterFailures: retry.cancelFailures))
        }
        return Decision()
    }

    private mutating func applyCancel(at now: Timestamp) -> Decision {
        let isNew = !isCancelRequested
        isCancelRequested = true
        guard case .dispatched(let dispatch) = stage else { return finish(cancellation, by: .scheduler, at: now) }
        if dispatch.isHarmless { return finish(cancellation, by: .scheduler, at: now) }
        retry.sendAt = nil
        return Decision(isNew ? [.sendCancel(attempt: dispatch.attempt)] : [])
    }

    var cancellation: Failure {
        Failure(.cancelled, isDeletionRequested ? "cancelled because it was deleted" : "cancelled on request")
    }
}

// MARK: Reports

extension DiagnosisMachine {
    private mutating func apply(_ report: Report, at now: Timestamp) -> Decision {
        switch stage {
        case .resolving, .queued:
            return Decision(verdict: .stale)
        case .finished(var ending):
            guard var dispatch = ending.dispatch, dispatch.attempt == report.attempt else { return Decision(verdict: .stale) }
            guard report.seq > dispatch.lastSeq, report.isTerminal, ending.author == .scheduler, !ending.hasLateOutcome else {
                return Decision(verdict: .ignored)
            }
            dispatch.lastSeq = report.seq
            ending.dispatch = dispatch
            ending.hasLateOutcome = true
            stage = .finished(ending)
            return Decision(durability: .now, verdict: .late)
        case .dispatched(var dispatch):
            guard dispatch.attempt == report.attempt else { return Decision(verdict: .stale) }
            guard report.seq > dispatch.lastSeq else { return Decision(verdict: .ignored) }
            // The report proves the acceptance, whatever became of the answer to our PUT.
            dispatch.lastSeq = report.seq
            dispatch.exposure = .accepted
            dispatch.unknownSince = nil
            dispatch.isRunning = true
            stage = .dispatched(dispatch)
            retry.sendAt = nil
            retry.sendFailures = 0
            var decision: Decision
            switch report.outcome {
            case .running: decision = Decision(durability: .soon)
            case .succeeded: decision = finish(nil, by: .agent, at: now)
            case .failed(let failure): decision = finish(failure, by: .agent, at: now)
            }
            decision.verdict = .applied
            return decision
        }
    }
}
