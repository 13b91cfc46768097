public import Model

/// The objects of one process that have owners or are being deleted, and who depends on whom. It names every object to be looked at again
/// after a change.
///
/// Owners may be objects that are not here: of another process, without an owner of their own, or gone.
public struct OwnershipGraph: Sendable {
    /// A kind by its group, whatever the version.
    public struct Kind: Sendable, Hashable {
        public let group: String
        public let name: String

        public init(group: String, name: String) {
            self.group = group
            self.name = name
        }
    }

    public private(set) var objects: [UID: OwnedObject] = [:]
    private var dependents: [UID: Set<UID>] = [:]
    /// References to each kind of owner.
    private var ownerKinds: [Kind: Int] = [:]

    public init() {}

    public subscript(uid: UID) -> OwnedObject? { objects[uid] }

    /// Takes in an object as it is now and returns whom that concerns; nothing where nothing changed that counts here.
    public mutating func put(_ object: OwnedObject) -> Set<UID> {
        let before = objects[object.uid]
        guard before != object else { return [] }
        var affected: Set<UID> = []
        if let before { affected = waiting(among: unlink(before)) }
        guard object.isOfInterest else { return affected }
        link(object)
        affected.insert(object.uid)
        affected.formUnion(waiting(among: object.owners.map(\.uid)))
        if object.deletion != before?.deletion ?? .unrequested { affected.formUnion(dependents[object.uid] ?? []) }
        return affected
    }

    /// Forgets an object that has gone and returns whom that concerns: its dependents, and the owners that wait for it.
    public mutating func remove(_ uid: UID) -> Set<UID> {
        var affected = dependents[uid] ?? []
        if let before = objects[uid] { affected.formUnion(waiting(among: unlink(before))) }
        return affected
    }

    /// The objects that name this one as an owner.
    public func dependents(of uid: UID) -> [OwnedObject] {
        (dependents[uid] ?? []).compactMap { objects[$0] }
    }

    /// Whether dependents hold an object back that waits for them. They are what has to be looked at; their going concerns it again.
    public func isHeld(_ object: OwnedObject) -> Bool {
        switch object.deletion {
        case .unrequested, .requested: false
        case .orphan: dependents(of: object.uid).contains { $0.uid != object.uid }
        case .foreground: !blockers(of: object.uid).isEmpty && !waitsForItself(object.uid)
        }
    }

    private func blockers(of uid: UID) -> [OwnedObject] {
        dependents(of: uid).filter { $0.uid != uid && $0.blocks(uid) }
    }

    /// Whether everything that it waits for waits as well, so that none would ever go.
    private func waitsForItself(_ uid: UID) -> Bool {
        var seen: Set<UID> = [uid]
        var open = [uid]
        while let next = open.popLast() {
            let blockers = blockers(of: next)
            guard !blockers.isEmpty, blockers.allSatisfy({ $0.deletion == .foreground }) else { return false }
            for blocker in blockers where seen.insert(blocker.uid).inserted { open.append(blocker.uid) }
        }
        return true
    }

    /// Whether any object names an owner of that kind.
    public func refers(to kind: Kind) -> Bool { ownerKinds[kind] != nil }

    /// The objects that name an owner of that kind.
    public func dependents(of kind: Kind) -> [UID] {
        guard refers(to: kind) else { return [] }
        return objects.values.filter { $0.owners.contains { $0.ownerKind == kind } }.map(\.uid)
    }

    private mutating func link(_ object: OwnedObject) {
        objects[object.uid] = object
        for owner in object.owners {
            dependents[owner.uid, default: []].insert(object.uid)
            ownerKinds[owner.ownerKind, default: 0] += 1
        }
    }

    private mutating func unlink(_ object: OwnedObject) -> [UID] {
        objects[object.uid] = nil
        for owner in object.owners {
            dependents[owner.uid]?.remove(object.uid)
            if dependents[owner.uid]?.isEmpty == true { dependents[owner.uid] = nil }
            let left = (ownerKinds[owner.ownerKind] ?? 1) - 1
            ownerKinds[owner.ownerKind] = left > 0 ? left : nil
        }
        return object.owners.map(\.uid)
    }

    private func waiting(among owners: [UID]) -> Set<UID> {
        Set(owners.filter { [.foreground, .orphan].contains(objects[$0]?.deletion) })
    }
}

extension OwnerReference {
    public var ownerKind: OwnershipGraph.Kind { OwnershipGraph.Kind(group: group, name: kind) }
}
