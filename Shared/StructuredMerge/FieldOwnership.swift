import JSONCoding
import Model

/// Decides who owns what after a write, and what a server-side apply makes of an object.
///
/// The rules are those of Kubernetes' server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/): whoever changes a
/// field by an update owns it alone; whoever applies it owns it beside those that applied the same value, and what an applier leaves
/// out goes when nobody else owns it. Documents come without `metadata.managedFields`.
public struct FieldOwnership: Sendable {
    let schema: Schema
    let apiVersion: String

    /// - Parameter schema: of the whole object.
    public init(schema: Schema, apiVersion: String) {
        self.schema = schema
        self.apiVersion = apiVersion
    }

    /// What an apply came to.
    public struct Applied: Sendable {
        public var object: JSON
        public var managed: ManagedFields
    }

    /// Members that belong to the server or to the URL, whoever sends them.
    private static let unowned = FieldSet(
        [[.field("apiVersion")], [.field("kind")], [.field("metadata")]]
            + [
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
                "resourceVersion",
            ]
            .map { [.field("metadata"), .field($0)] })

    private static let beforeFirstApply = "before-first-apply"

    /// The owners after an update of `live` to `object` (nil for a creation).
    ///
    /// An object that has no owners gets none by an update: it was made by the server itself, or its owners were taken away.
    public func updated(
        from live: JSON?, to object: JSON, _ managed: ManagedFields, by name: String, subresource: String = "", at now: Timestamp
    ) -> ManagedFields {
        if live != nil, managed.isEmpty { return managed }
        return track(from: live, to: object, managed, by: name, subresource, at: now)
    }

    private func track(
        from live: JSON?, to object: JSON, _ managed: ManagedFields, by name: String, _ subresource: String, at now: Timestamp
    ) -> ManagedFields {
        let manager = ManagedFields.Owner(name, .update, apiVersion: apiVersion, subresource: subresource)
        let comparison = Comparison(from: live ?? [:], to: object, schema: schema)
        let changed = comparison.modified.union(comparison.added)
        var managed = managed
        managed.takeFromOthers(than: manager, changed.union(comparison.removed))
        let own = managed[manager]
        let fields = (own?.fields ?? FieldSet()).subtracting(comparison.removed).union(changed).subtracting(Self.unowned)
        let hasNews = !changed.subtracting(Self.unowned).isEmpty
        managed[manager] = ManagedFields.Entry(apiVersion: apiVersion, time: hasNews ? now.wholeSeconds : own?.time, fields: fields)
        managed.cap()
        return managed
    }

    /// Applies `config` on top of `live` (nil where there is no object yet).
    ///
    /// Throws all fields at once that other managers own and `config` has otherwise, unless `isForced` takes them over.
    public func applied(
        _ config: JSON, to live: JSON?, _ managed: ManagedFields, by name: String, subresource: String = "", isForced: Bool,
        at now: Timestamp
    ) throws(ApplyConflicts) -> Applied {
        var managed = managed
        if let live, managed.isEmpty { managed = track(from: nil, to: live, managed, by: Self.beforeFirstApply, "", at: now) }
        let attempt = Attempt(config: config, live: live ?? [:], managed: managed, name: name, subresource: subresource, at: now)
        do throws(ApplyConflicts) {
            return try merge(attempt, isForced: isForced)
        } catch {
            // kubectl takes over by itself what its client-side apply had set.
            guard let own = LastApplied.fields(of: attempt.live, schema), name == LastApplied.manager else { throw error }
            if let rest = error.removing(own) { throw rest }
            return try merge(attempt, isForced: true)
        }
    }

    private struct Attempt {
        var config: JSON
        var live: JSON
        var managed: ManagedFields
        var name: String
        var subresource: String
        var at: Timestamp
    }

    private func merge(_ attempt: Attempt, isForced: Bool) throws(ApplyConflicts) -> Applied {
        let manager = ManagedFields.Owner(attempt.name, .apply, apiVersion: apiVersion, subresource: attempt.subresource)
        let config = attempt.config.withoutNulls()
        let former = attempt.managed[manager]
        let fields = FieldSet(of: config, schema: schema).subtracting(Self.unowned)
        var managed = attempt.managed
        managed[manager] = ManagedFields.Entry(apiVersion: apiVersion, time: former?.time, fields: fields)

        var object = attempt.live.merged(with: config, schema: schema)
        if let former {
            // What this manager had and nobody has now, itself included.
            let claimed = managed.entries.values.reduce(FieldSet()) { $0.union($1.fields) }
            let dropped = former.fields.withNamedAncestors(schema).subtracting(claimed.withNamedAncestors(schema))
            object = object.removing(dropped.subtracting(Self.unowned), schema: schema)
        }

        let comparison = Comparison(from: attempt.live, to: object, schema: schema)
        let changed = comparison.modified.union(comparison.added)
        if !isForced, let conflicts = ApplyConflicts(over: changed, with: managed, of: manager) { throw conflicts }
        managed.takeFromOthers(than: manager, changed.union(comparison.removed))
        if object != attempt.live || former?.fields != fields { managed[manager]?.time = attempt.at.wholeSeconds }
        return Applied(object: object, managed: managed)
    }
}
