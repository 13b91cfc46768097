import JSONCoding
import Model
import StructuredMerge

// Who owns which field after a write; and server-side apply, which is decided by it.

extension ObjectAdmission {
    private var ownership: FieldOwnership {
        FieldOwnership(schema: kind.definition.schema, apiVersion: kind.definition.groupVersion.text)
    }

    /// Puts the owners into an object that was reviewed.
    ///
    /// - Parameter requested: the owners as the request has them. They count where they read as such, so that they can be set; a client
    ///   that knows nothing of them cannot lose them, and `[{}]` takes them away (Kubernetes' rules).
    func own(_ object: inout JSON, from old: JSON?, requested: JSON?, subresource: String = "") {
        var managed = Self.owners(of: old)
        if ManagedFields.isReset(requested) {
            managed = ManagedFields()
        } else if let requested, let wanted = ManagedFields(json: requested), !wanted.isEmpty {
            managed = wanted
        }
        object["metadata"]?["managedFields"] = nil
        let after = ownership.updated(
            from: old.map(Self.withoutOwners), to: object, managed, by: options.fieldManager, subresource: subresource, at: now)
        Self.put(after, into: &object)
    }

    /// Applies `body` on top of `old`, or makes an object of it where there is none.
    package func apply(_ body: RequestBody, at address: ObjectAddress, isStatus: Bool, onto old: JSON?) async throws(APIError) -> Admitted {
        let envelope = try Envelope(body.json, definition: kind.definition, at: address)
        guard envelope.metadata["managedFields"].map(\.isNull) ?? true else { throw .badRequest("metadata.managedFields must be nil") }
        try checkFields(body.json, address)
        if let old { try check(envelope, old) } else { try checkCreation(envelope) }
        let applied = try merge(Self.configuration(envelope, isStatus: isStatus), onto: old, isStatus: isStatus)
        var admitted = try await review(
            applied.object, old, isStatus: isStatus, duplicates: body.duplicateFields, faults: envelope.faults, at: address)
        if options.fieldManager == LastApplied.manager, !isStatus { LastApplied.refresh(&admitted.object, with: body.json) }
        Self.put(applied.managed, into: &admitted.object)
        return admitted
    }

    private func review(
        _ object: JSON, _ old: JSON?, isStatus: Bool, duplicates: [String], faults: [FieldFault], at address: ObjectAddress
    ) async throws(APIError) -> Admitted {
        if isStatus, let old { return try await reviseStatus(object["status"], old, duplicates: duplicates, faults: faults) }
        var envelope = try Envelope(object, definition: kind.definition, at: address)
        if let old { return try await revise(envelope, old, duplicates: duplicates, faults: faults) }
        try ServerMetadata.stamp(new: &envelope, of: kind.definition, now: now)
        return try await self.review(envelope.object, old: nil, change: .create, duplicates: duplicates, faults: faults)
    }

    private func merge(_ configuration: JSON, onto old: JSON?, isStatus: Bool) throws(APIError) -> FieldOwnership.Applied {
        do throws(ApplyConflicts) {
            return try ownership.applied(
                configuration, to: old.map(Self.withoutOwners), Self.owners(of: old), by: options.fieldManager,
                subresource: isStatus ? "status" : "", isForced: options.isForced ?? false, at: now)
        } catch {
            throw APIError(code: 409, reason: "Conflict", message: error.message, causes: error.causes)
        }
    }

    /// A field that the schema does not know can belong to nobody, so it is refused whatever the field validation.
    private func checkFields(_ configuration: JSON, _ address: ObjectAddress) throws(APIError) {
        var findings = SchemaFindings()
        _ = kind.definition.schema.check(configuration, at: "", into: &findings)
        guard !findings.unknownFields.isEmpty else { return }
        let fields = findings.unknownFields.map { ".\($0): field not declared in schema" }.joined(separator: ", ")
        let name = (address.namespace.isEmpty ? "" : address.namespace) + "/" + (address.name ?? "")
        let title = "\(name); \(kind.definition.groupVersion.text), Kind=\(kind.definition.kind)"
        throw .badRequest("failed to create typed patch object (\(title)): \(fields)")
    }

    private func checkCreation(_ envelope: Envelope) throws(APIError) {
        guard try envelope.revision() == nil else { throw .badRequest("resourceVersion should not be set on objects to be created") }
        guard let uid = envelope.metadata["uid"]?.stringValue, !uid.isEmpty else { return }
        throw .conflict(
            kind.definition, envelope.metadata["name"]?.stringValue ?? "",
            "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
    }

    /// What of an applied document is for its applier to say: the object or its status, and nothing that belongs to the server.
    private static func configuration(_ envelope: Envelope, isStatus: Bool) -> JSON {
        var members = envelope.members
        members["metadata"] = nil
        if isStatus {
            members["spec"] = nil
        } else {
            members["status"] = nil
            let own = ["labels", "annotations", "ownerReferences", "finalizers", "name", "namespace"]
            members["metadata"] = .object(envelope.metadata.filter { own.contains($0.key) })
        }
        return .object(members)
    }

    private static func owners(of object: JSON?) -> ManagedFields {
        // What does not read was written by none of ours; nobody owns it then.
        ManagedFields(json: object?[path: "metadata", "managedFields"]) ?? ManagedFields()
    }

    private static func withoutOwners(_ object: JSON) -> JSON {
        var object = object
        object["metadata"]?["managedFields"] = nil
        return object
    }

    private static func put(_ managed: ManagedFields, into object: inout JSON) {
        object["metadata"]?["managedFields"] = managed.isEmpty ? nil : managed.json
    }
}
