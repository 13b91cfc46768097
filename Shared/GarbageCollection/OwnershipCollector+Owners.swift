import JSONCoding
import Model
import ResourceClient
import ResourceOwnership

// Owners and dependents in other processes.

extension OwnershipCollector {
    /// A service that did not answer.
    struct Absence {
        var until: ContinuousClock.Instant
        var pause: Duration
    }

    func foreignState(of owner: OwnerReference, in namespace: String) async -> OwnerState {
        guard let (service, definition) = foreign(owner.ownerKind) else { return .unresolvable }
        if definition.names.scope == .namespaced, namespace.isEmpty { return .unresolvable }
        guard mayAsk(service) else { return .undecided }
        do throws(ResourceClientError) {
            let found = try await service.owner(owner, definition, in: namespace)
            noteAnswer(of: service)
            return found.map { OwnerState($0) } ?? .absent
        } catch {
            noteAbsence(of: service, error)
            return .undecided
        }
    }

    /// Whether objects of other processes hold this one back, or may do so.
    func hasForeignDependents(_ object: OwnedObject) async -> Bool {
        for service in services where service.mayDepend(onOwnerIn: object.namespace) {
            guard mayAsk(service) else { return true }
            do throws(ResourceClientError) {
                let count = try await service.client.dependentCount(of: object.uid)
                noteAnswer(of: service)
                if (object.deletion == .orphan ? count.dependents : count.blocking) > 0 { return true }
            } catch {
                noteAbsence(of: service, error)
                return true
            }
        }
        return false
    }

    private func foreign(_ kind: OwnershipGraph.Kind) -> (OwnerService, ResourceDefinition)? {
        for service in services {
            if let definition = service.definitions.first(where: { $0.ownerKind == kind }) { return (service, definition) }
        }
        return nil
    }

    // MARK: Services that are away

    private func mayAsk(_ service: OwnerService) -> Bool { away[service.name].map { $0.until <= .now } ?? true }

    private func noteAnswer(of service: OwnerService) {
        if away.removeValue(forKey: service.name) != nil {
            logger.info("owners can be asked about again", metadata: ["service": "\(service.name)"])
        }
    }

    private func noteAbsence(of service: OwnerService, _ error: ResourceClientError) {
        let before = away[service.name]
        // Those that were asked together fail together, and count once.
        if let before, before.until > .now { return }
        let pause = before.map { min(options.retryMax, $0.pause * 2) } ?? options.retryMin
        away[service.name] = Absence(until: .now + pause, pause: pause)
        logger.log(
            level: before == nil ? .warning : .debug, "owners can't be asked about; nothing is deleted until they can",
            metadata: ["service": "\(service.name)", "cause": "\(error)"])
    }

    // MARK: Watching the kinds that own objects names as owners

    func followIfNeeded() {
        let needed = services.contains { service in
            service.definitions.contains { graph.refers(to: $0.ownerKind) && !followed.contains($0.ownerKind) }
        }
        if needed { followSignal.yield() }
    }

    func followOwners() async {
        await withTaskGroup(of: Void.self) { group in
            for await _ in followings {
                for service in services {
                    for definition in service.definitions
                    where graph.refers(to: definition.ownerKind) && followed.insert(definition.ownerKind).inserted {
                        group.addTask { await self.follow(definition, of: service) }
                    }
                }
            }
        }
    }

    /// Watches a kind for as long as objects here name it: a list tells where the watch begins, and since anything may have happened before,
    /// everything that names the kind is looked at then.
    private func follow(_ definition: ResourceDefinition, of service: OwnerService) async {
        var version: String?
        var pause = options.retryMin
        while !Task.isCancelled, graph.refers(to: definition.ownerKind) {
            do throws(ResourceClientError) {
                if version == nil {
                    version = try await service.client.list(APIResource(definition), limit: 1).resourceVersion
                    noteAnswer(of: service)
                    look(at: graph.dependents(of: definition.ownerKind))
                }
                let began = ContinuousClock.now
                try await watch(definition, of: service, from: &version)
                if ContinuousClock.now - began >= .seconds(1) {
                    pause = options.retryMin
                    continue
                }
            } catch {
                if error.isExpired { version = nil } else { noteAbsence(of: service, error) }
            }
            do { try await Task.sleep(for: pause) } catch { break }
            pause = min(options.retryMax, pause * 2)
        }
        followed.remove(definition.ownerKind)
        followIfNeeded()
    }

    private func watch(
        _ definition: ResourceDefinition, of service: OwnerService, from version: inout String?
    ) async throws(ResourceClientError) {
        let start = WatchStart(resourceVersion: version, timeoutSeconds: options.watchSeconds)
        for try await event in try await service.client.watch(APIResource(definition), from: start) {
            switch event {
            case .added(let json), .modified(let json): noteOwner(json, isGone: false)
            case .deleted(let json): noteOwner(json, isGone: true)
            case .bookmark(let reached, _): version = reached
            }
            if let reached = event.resourceVersion { version = reached }
        }
    }

    private func noteOwner(_ json: JSON, isGone: Bool) {
        guard let owner = OwnedObject(json, plural: ""), isGone || owner.deletion != .unrequested else { return }
        look(at: graph.dependents(of: owner.uid).map(\.uid))
    }
}

extension ResourceEvent<JSON> {
    fileprivate var resourceVersion: String? {
        switch self {
        case .added(let json), .modified(let json), .deleted(let json): json[path: "metadata", "resourceVersion"]?.stringValue
        case .bookmark: nil
        }
    }
}

extension ResourceDefinition {
    var ownerKind: OwnershipGraph.Kind { OwnershipGraph.Kind(group: groupVersion.group, name: kind) }
}
