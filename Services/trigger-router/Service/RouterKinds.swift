import GarbageCollection
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ResourceAPI
import ResourceForwarding
import ResourceStore
import ServiceKit
import TriggerRouterCore

/// The kinds as the trigger-router serves them: its own from its store, the others from their owners; and their owners' routes for people,
/// so that one URL has everything.
struct RouterKinds: Sendable {
    let triggers: LiveTriggers
    let store: any ResourceStore
    let events: EventShelf
    let graphBuilder: OwnerForwarder
    let scheduler: OwnerForwarder
    /// Where the triggers are, when this is a replica of another router.
    let router: OwnerForwarder?

    var all: [ServedKind] {
        [
            trigger, commonEvent, event,
            ServedKind(definition: Operation.definition, owner: graphBuilder.answer),
            ServedKind(definition: OperationSet.definition, isStatusWritable: false, owner: graphBuilder.answer),
            ServedKind(definition: Diagnosis.definition, isStatusWritable: false, owner: scheduler.answer),
            // Registration alone creates agents, at the scheduler.
            ServedKind(
                definition: Agent.definition, verbs: Set(Verb.allCases).subtracting([.create]), isStatusWritable: false,
                owner: scheduler.answer),
        ]
    }

    private var trigger: ServedKind {
        guard let router else { return ServedKind(definition: Trigger.definition, store: store, admit: Self.admit) }
        return ServedKind(definition: Trigger.definition) { [triggers] call in
            let response = try await router.answer(call)
            Self.note(response, of: call, in: triggers)
            return response
        }
    }

    private var commonEvent: ServedKind {
        guard let router else { return ServedKind(definition: CommonEvent.definition, store: store) }
        return ServedKind(definition: CommonEvent.definition, owner: router.answer)
    }

    private var event: ServedKind {
        guard let router else {
            return ServedKind(definition: Event.definition, store: store) { [events] request throws(APIError) in try events.admit(request) }
        }
        return ServedKind(definition: Event.definition, owner: router.answer)
    }

    /// A trigger that was written through a replica is matched, or not, from its answer on, without waiting for the owner's news of it.
    private static func note(_ response: Response, of call: Call, in triggers: LiveTriggers) {
        guard call.request.method != .get, (200..<300).contains(response.status), call.query("dryRun") == nil,
            case .bytes(let bytes) = response.body
        else { return }
        do {
            let json = try JSON(parsing: bytes)
            if call.request.method == .delete, json["kind"] == "Status" {
                if let name = call.request.parameters["name"] { triggers.remove(name) }
            } else if let revision = json[path: "metadata", "resourceVersion"]?.stringValue.flatMap({ Int64($0) }) {
                triggers.put(StoredObject(try EncodedObject(json, definition: Trigger.definition), revision: revision))
            }
        } catch {
            call.logger.debug("the owner's answer about a trigger is not readable", metadata: ["cause": "\(error)"])
        }
    }

    /// What RE2 and experience say about a trigger.
    private static func admit(_ request: AdmissionRequest) throws(APIError) -> AdmissionReview {
        guard request.change == .create || request.change == .update else { return AdmissionReview() }
        let trigger: Trigger
        do {
            trigger = try request.object.decode(Trigger.self)
        } catch {
            return AdmissionReview(faults: [FieldFault(error.path, .invalid, error.message)])
        }
        return AdmissionReview(faults: TriggerAdmission.faults(trigger), warnings: TriggerAdmission.warnings(trigger))
    }
}

extension RouterKinds {
    /// What depends on an object among the kinds of this process; of a replica, what its router has.
    func dependents(_ owners: OwnershipCollector?) -> Endpoint {
        if let owners { return owners.endpoint }
        return OwnershipCollector.endpoint { [router] call in
            guard let router else { throw APIError.unavailable("nobody here keeps objects") }
            return try await router.answer(call)
        }
    }

    private static let evidenceSecondsMax = 600.0

    /// Routes for people, answered by graph-builder and the scheduler.
    var ownersRoutes: [Endpoint] {
        let stream = RouteLimits(bodyBytesMax: 0, streamSecondsMax: Self.evidenceSecondsMax)
        func route(
            _ method: Method, _ template: String, _ access: Set<CallerClass>, _ summary: String, limits: RouteLimits = RouteLimits(),
            of owner: OwnerForwarder? = nil
        ) -> Endpoint {
            Endpoint(method, template, access: access, limits: limits, summary: summary, handler: (owner ?? scheduler).answer)
        }
        let operationSet = OperationSet.definition.path(name: "{name}")
        return [
            route(
                .get, operationSet + "/plan", [.admin, .service],
                "The graph of an operation set and its operations at one revision, ready to be run.", of: graphBuilder),
            route(
                .get, operationSet + "/graph", [.admin, .service],
                "The graph of an operation set: dot (Graphviz), mermaid, json, or svg as Graphviz draws it.", of: graphBuilder),
            route(.post, "/api/v1/diagnoses/{namespace}/{name}/rerun", [.admin, .service], "Starts a repeat of a diagnosis."),
            route(.post, "/api/v1/diagnoses/{namespace}/{name}/cancel", [.admin, .service], "Stops a diagnosis; one-way."),
            route(
                .get, "/api/v1/evidence/{uid}", [.admin, .service],
                "The files with evidence of a diagnosis, from the agent that keeps them.", limits: stream),
            route(
                .get, "/api/v1/evidence/{uid}/{rest...}", [.admin, .service], "Evidence of a diagnosis, from the agent that keeps it.",
                limits: stream),
            route(
                .post, "/api/v1/agents/{node}/drain", [.admin], "Keeps new diagnoses away from a node, or lets them come again."),
            route(.post, "/api/v1/pause", [.admin], "Stops dispatch; diagnoses are still taken on."),
            route(.post, "/api/v1/resume", [.admin], "Starts dispatch again."),
            route(.get, "/api/v1/scheduler", [.admin, .service], "What waits, runs and is there."),
        ]
    }
}
