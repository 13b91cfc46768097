import Model
import ResourceStore
import SchedulerCore

/// An unfinished diagnosis in memory: what decides about it, its mailbox, and how its object stands in the store.
///
/// Confined to the engine, which is an actor; nothing of it is shared.
final class DiagnosisEntry {
    enum Life {
        /// Its creation is under way: it counts, and nothing is known of it yet.
        case reserved
        case single(DiagnosisMachine)
        /// Several nodes, whose children are still to be created.
        case parentToPin([NodeName])
        case parent(ParentAggregate)
    }

    struct Envelope: Sendable {
        var event: DiagnosisMachine.Event
        /// The content behind a report's event, and who waits for the answer.
        var report: JobReport?
        var reply: CheckedContinuation<ReportAnswer, Never>?
    }

    let uid: UID
    let key: ObjectKey
    let arrivedAt: Timestamp
    var life = Life.reserved
    var operationSet = ""
    var target: DiagnosisTarget?
    var parent: UID?
    var traceparent: String?
    /// Its steps are shown, not carried out.
    var isDryRun = false
    /// Its parameters approve something, so that a repair may be carried out.
    var approves = false
    /// Of the object's last version that this process has read or written.
    var revision: Int64 = 0
    /// The object itself, while it is worth its memory: from the admission or the dispatch on, but not while it waits in a queue.
    var object: Diagnosis?
    /// The plan that the last resolution found, and since when it is known to hold.
    var plan: (plan: PinnedPlan, heldAt: Timestamp)?

    /// One mailbox a diagnosis: what comes while a write is under way waits here.
    var mailbox: [Envelope] = []
    var isWriting = false
    /// The newest version that the watch showed while a write was under way.
    var observed: StoredObject?
    var isResolving = false
    /// The last report that was applied and is not in the object yet.
    var content: JobReport?
    /// When what is worth showing is to be written at the latest.
    var flushAt: Timestamp?
    /// After a write that the store refused.
    var retryAt: Timestamp?
    var parentEvents: [ParentAggregate.Event] = []
    /// Which steps were told of.
    var stepNews = StepNews()

    init(uid: UID, key: ObjectKey, arrivedAt: Timestamp) {
        self.uid = uid
        self.key = key
        self.arrivedAt = arrivedAt
    }

    var machine: DiagnosisMachine? {
        if case .single(let machine) = life { machine } else { nil }
    }

    var aggregate: ParentAggregate? {
        if case .parent(let aggregate) = life { aggregate } else { nil }
    }
}

/// What an agent is told about a report.
enum ReportAnswer: Sendable, Hashable {
    case taken
    case stale
    case gone
    case unavailable
}
