import EventRecording
import Model
import ResourceStore
import SchedulerCore

// What happened to diagnoses and agents, told in events: behind the state that they tell of, and for people alone.

extension DiagnosisEngine {
    private static let expiredToldMax = 20

    func tell(_ news: DiagnosisNews, of entry: DiagnosisEntry) {
        let object = ObjectReference(
            kind: DiagnosisSpec.names.kind, namespace: entry.key.namespace, name: entry.key.name, uid: entry.uid,
            apiVersion: API.groupVersion)
        events.record(object, news.type, news.reason, news.message)
    }

    func tell(_ before: DiagnosisMachine, _ after: DiagnosisMachine, of entry: DiagnosisEntry) {
        for news in after.news(since: before) { tell(news, of: entry) }
        if case .queued(let node) = after.stage, before.node != node, queue.isPaused {
            tell(DiagnosisNews(.normal, "Paused", "waiting: dispatch is paused"), of: entry)
        }
    }

    func tellSteps(_ report: JobReport?, of entry: DiagnosisEntry) {
        guard let report else { return }
        for news in entry.stepNews.take(report.steps) { tell(news, of: entry) }
    }

    func tellCreated(_ entry: DiagnosisEntry, _ source: DiagnosisSource) {
        switch source {
        case .trigger: tell(DiagnosisNews(.normal, "Created", "a trigger fired"), of: entry)
        case .api: tell(DiagnosisNews(.normal, "Created", "it was asked for"), of: entry)
        case .parent: tell(DiagnosisNews(.normal, "Created", "for one of the nodes of a diagnosis of several"), of: entry)
        case .rerun: tell(DiagnosisNews(.normal, "Created", "as a repeat"), of: entry)
        case .restart: break
        }
    }

    /// Of many that go together the first ones alone.
    func tellExpired(_ candidates: [GarbageRules.Candidate]) {
        for candidate in candidates.prefix(Self.expiredToldMax) {
            let object = ObjectReference(
                kind: DiagnosisSpec.names.kind, namespace: candidate.namespace, name: candidate.name, uid: candidate.uid,
                apiVersion: API.groupVersion)
            events.record(object, .normal, "Expired", "removed: it ended long enough ago, or there are too many on its node")
        }
    }

    func tell(_ type: EventType, _ reason: String, _ message: String, ofAgent node: NodeName) {
        let object = ObjectReference(
            kind: AgentSpec.names.kind, name: node.rawValue, uid: agents.uids[node], apiVersion: API.groupVersion)
        events.record(object, type, reason, message)
    }

    func tellRegistered(_ grant: AgentRegistry.Grant) {
        let node = grant.entry.node
        switch grant.arrival {
        case .new: tell(.normal, "Registered", "at \(grant.entry.address)", ofAgent: node)
        case .restart: tell(.normal, "Registered", "again, after a restart, at \(grant.entry.address)", ofAgent: node)
        case .takeOver:
            tell(.warning, "TakenOver", "an agent with another journal registered at \(grant.entry.address)", ofAgent: node)
        }
    }
}
