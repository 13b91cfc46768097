public import Model

/// How the owner that a reference names stands.
public enum OwnerState: Sendable, Hashable {
    case present
    /// It waits for its dependents to go.
    case leaving
    /// It waits for its dependents to stop naming it.
    case orphaning
    /// No object has that uid, and none ever will.
    case absent
    /// Whoever keeps it could not be asked.
    case undecided
    /// Nobody here can ever know: a kind of another group, or one that cannot own the object.
    case unresolvable
}

/// What is to become of an object with owners.
public enum Verdict: Sendable, Hashable {
    case keep
    /// It stays, and is to be judged again.
    case undecided
    /// It stays and stops naming these.
    case release(Set<UID>)
    /// Nobody that it belongs to is left. `unblocks`: it lets go of the owners that wait for it first, since it waits for one of them itself.
    case delete(DeletionPropagation?, unblocks: Bool)

    /// Judges an object by all of its owners, as Kubernetes' garbage collector does.
    ///
    /// An object goes only where every owner is known to be gone or to wait for it: one that is there keeps it, one that could not be asked
    /// about leaves it open, one that can't be known keeps it like one that is there.
    ///
    /// - Parameters:
    ///   - states: of the object's owners, in their order.
    ///   - dependents: those of the object that are known.
    public init(_ object: OwnedObject, _ states: [OwnerState], dependents: [OwnedObject]) {
        func owners(_ wanted: Set<OwnerState>) -> Set<UID> {
            Set(zip(object.owners, states).filter { wanted.contains($1) }.map(\.0.uid))
        }
        let orphaning = owners([.orphaning])
        if !orphaning.isEmpty {
            self = .release(orphaning)
        } else if object.owners.isEmpty {
            self = .keep
        } else if object.deletion != .unrequested {
            // It goes anyway, but an owner that could not be asked about may wait to be named no more.
            self = states.contains(.undecided) ? .undecided : .keep
        } else if states.contains(.present) || states.contains(.unresolvable) {
            let over = owners([.absent, .leaving])
            // One that could not be asked about may wait to be named no more, though another keeps the object.
            self = !over.isEmpty ? .release(over) : states.contains(.undecided) ? .undecided : .keep
        } else if states.contains(.undecided) {
            self = .undecided
        } else if states.contains(.leaving), !dependents.isEmpty {
            self = .delete(.foreground, unblocks: dependents.contains { $0.deletion == .foreground })
        } else {
            self = .delete(nil, unblocks: false)
        }
    }
}
