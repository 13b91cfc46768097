import Model
import SchedulerCore

/// Writes what the Core decided into the object that users read.
enum StatusDocument {
    static let summaryBytesMax = 512

    /// What a queued diagnosis waits for.
    enum Waiting: Sendable, Hashable {
        case slot(ahead: Int)
        case blastRadius(nodes: Int, nodesMax: Int)

        var reason: String {
            switch self {
            case .slot: "Queued"
            case .blastRadius: "BlastRadius"
            }
        }

        func message(_ node: NodeName) -> String {
            switch self {
            case .slot(ahead: 0): "next on \(node)"
            case .slot(let ahead): "\(ahead) ahead on \(node)"
            case .blastRadius(let nodes, let nodesMax):
                "it changes \(node), and \(nodes) of at most \(nodesMax) nodes are being changed (--blast-radius)"
            }
        }
    }

    /// Renders a diagnosis of one node.
    ///
    /// - Parameters:
    ///   - content: the report that is to be shown, if a new one was applied.
    ///   - graph: of the pinned plan, which places the report's steps.
    ///   - waiting: what it waits for, if it is queued.
    static func render(
        _ machine: DiagnosisMachine, content: JobReport?, _ graph: [Vertex], waiting: Waiting, into diagnosis: inout Diagnosis,
        at now: Timestamp
    ) {
        let before = diagnosis.status ?? DiagnosisStatus()
        var status = before
        if let content { take(content, graph, into: &status) }
        status.phase = machine.phase
        status.observedGeneration = diagnosis.metadata.generation
        status.nodeName = machine.node?.rawValue ?? status.nodeName
        var conditions = status.conditions ?? []
        if let dispatch = machine.dispatch {
            status.startTime = dispatch.pinnedAt
            status.operationSetHash = dispatch.planHash
        }
        switch machine.stage {
        case .resolving(let hold):
            status.reason = hold?.failure.reason
            status.message = hold?.failure.message
            conditions.set(dispatched(false, hold?.failure.reason ?? "Resolving", hold?.failure.message), at: now)
        case .queued(let node):
            status.reason = waiting.reason
            status.message = waiting.message(node)
            conditions.set(dispatched(false, waiting.reason, status.message), at: now)
        case .dispatched(let dispatch):
            if dispatch.unknownSince != nil {
                status.reason = "AgentUnreachable"
                status.message = "agent \(dispatch.node) is not heard of"
            } else if let problem = dispatch.problem {
                status.reason = "JobNotTaken"
                status.message = "agent \(dispatch.node) has not taken it: \(problem)"
            } else {
                status.reason = nil
                if status.reason != before.reason { status.message = content?.message }
            }
            conditions.set(dispatched(true, "Dispatched", nil), at: now)
            setFinalizer(true, &diagnosis.metadata)
        case .finished(let ending):
            if ending.dispatch == nil { conditions.set(dispatched(false, ending.failure?.reason ?? "Finished", nil), at: now) }
            end(ending.failure, at: ending.at, &status, &conditions, now: now)
            setFinalizer(false, &diagnosis.metadata)
        }
        status.conditions = conditions
        diagnosis.status = status
    }

    /// Renders a diagnosis of several nodes.
    static func render(_ aggregate: ParentAggregate, into diagnosis: inout Diagnosis, at now: Timestamp) {
        var status = diagnosis.status ?? DiagnosisStatus()
        var conditions = status.conditions ?? []
        status.phase = aggregate.phase
        status.observedGeneration = diagnosis.metadata.generation
        status.startTime = aggregate.startedAt
        status.aggregate = aggregate.counts
        // What it waited for before Kubernetes told its nodes.
        if conditions["Dispatched"] != nil { conditions.set(dispatched(true, "Split", nil), at: now) }
        let unknown = aggregate.unknownNodes
        if !unknown.isEmpty || conditions["ChildrenReachable"] != nil {
            let names = unknown.prefix(10).map(\.rawValue).joined(separator: ", ")
            conditions.set(
                Condition(
                    type: "ChildrenReachable", status: unknown.isEmpty ? .true : .false,
                    reason: unknown.isEmpty ? "Reachable" : "AgentUnreachable",
                    message: unknown.isEmpty ? nil : "agents not heard of: \(names)"), at: now)
        }
        if let ending = aggregate.ending {
            end(ending.failure, at: ending.at, &status, &conditions, now: now)
            let counts = aggregate.counts
            status.summary = "\(counts.succeeded) of \(counts.desired) nodes succeeded"
        } else {
            status.reason = nil
            status.message = nil
        }
        status.conditions = conditions.isEmpty ? nil : conditions
        diagnosis.status = status
    }

    /// Ends a diagnosis that never had a machine or children to speak of.
    static func fail(_ failure: Failure, into diagnosis: inout Diagnosis, at now: Timestamp) {
        var status = diagnosis.status ?? DiagnosisStatus()
        var conditions = status.conditions ?? []
        status.phase = .failed
        status.observedGeneration = diagnosis.metadata.generation
        end(failure, at: now, &status, &conditions, now: now)
        status.conditions = conditions
        diagnosis.status = status
    }

    private static func end(
        _ failure: Failure?, at time: Timestamp, _ status: inout DiagnosisStatus, _ conditions: inout [Condition], now: Timestamp
    ) {
        status.completionTime = time
        status.reason = failure?.reason
        status.message = failure.map(\.message) ?? status.message
        let type = failure == nil ? "Complete" : "Failed"
        conditions.set(Condition(type: type, status: .true, reason: failure?.reason ?? "Succeeded", message: failure?.message), at: now)
        if status.summary == nil, let failure { status.summary = prefix(failure.message.isEmpty ? failure.reason : failure.message) }
    }

    private static func take(_ report: JobReport, _ graph: [Vertex], into status: inout DiagnosisStatus) {
        status.steps = report.steps
        status.succeededPath = report.succeededPath
        status.failedPaths = report.failedPaths.map { Array($0.prefix(DiagnosisStatus.failedPathsMax)) }
        status.failedPathCount = report.failedPathCount
        status.operationResults = report.operationResults
        status.checkpoint = report.checkpoint
        if let progress = RunProgress(graph, steps: report.steps) { status.progress = progress }
        status.message = report.message
        status.summary = report.summary.map(prefix)
    }

    private static func dispatched(_ isDispatched: Bool, _ reason: String, _ message: String?) -> Condition {
        Condition(type: "Dispatched", status: isDispatched ? .true : .false, reason: reason, message: message)
    }

    private static func setFinalizer(_ isSet: Bool, _ metadata: inout ObjectMeta) {
        var finalizers = metadata.finalizers ?? []
        finalizers.removeAll { $0 == WellKnown.dispatchedFinalizer }
        if isSet { finalizers.append(WellKnown.dispatchedFinalizer) }
        metadata.finalizers = finalizers.isEmpty ? nil : finalizers
    }

    private static func prefix(_ text: String) -> String {
        guard text.utf8.count > summaryBytesMax else { return text }
        var cut = text.prefix(summaryBytesMax)
        while cut.utf8.count > summaryBytesMax { cut.removeLast() }
        return String(cut)
    }
}
