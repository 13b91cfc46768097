import JSONCoding
import Model
import ResourceOwnership
import ResourceStore
import ServiceKit

/// The way from a request's body to an object that may be stored: envelope, server-owned metadata, schema with pruning and defaults, the
/// kind's own rules, the service's. All faults of the last three come at once.
package struct ObjectAdmission: Sendable {
    let kind: ServedKind
    let options: WriteOptions
    let caller: Caller
    let now: Timestamp

    package init(kind: ServedKind, options: WriteOptions, caller: Caller, now: Timestamp) {
        self.kind = kind
        self.options = options
        self.caller = caller
        self.now = now
    }

    /// An object that passed.
    package struct Admitted: Sendable {
        package var object: JSON
        package var warnings: [String]
    }

    package func create(_ body: RequestBody, at address: ObjectAddress) async throws(APIError) -> Admitted {
        var envelope = try Envelope(body.json, definition: kind.definition, at: address)
        let owners = envelope.metadata.removeValue(forKey: "managedFields")
        try ServerMetadata.stamp(new: &envelope, of: kind.definition, now: now)
        var admitted = try await review(
            envelope.object, old: nil, change: .create, duplicates: body.duplicateFields, faults: envelope.faults)
        own(&admitted.object, from: nil, requested: owners)
        return admitted
    }

    package func update(_ body: RequestBody, at address: ObjectAddress, replacing old: JSON) async throws(APIError) -> Admitted {
        var envelope = try Envelope(body.json, definition: kind.definition, at: address)
        try check(envelope, old)
        let owners = envelope.metadata.removeValue(forKey: "managedFields")
        var admitted = try await revise(envelope, old, duplicates: body.duplicateFields, faults: envelope.faults)
        own(&admitted.object, from: old, requested: owners)
        return admitted
    }

    /// Takes the status of `body` alone; the rest of the object stays as it is.
    package func status(_ body: RequestBody, at address: ObjectAddress, replacing old: JSON) async throws(APIError) -> Admitted {
        let envelope = try Envelope(body.json, definition: kind.definition, at: address)
        try check(envelope, old)
        var admitted = try await reviseStatus(
            envelope.members["status"], old, duplicates: body.duplicateFields, faults: envelope.faults)
        own(&admitted.object, from: old, requested: nil, subresource: "status")
        return admitted
    }

    /// Reviews what an update makes of `old`: server-owned members and the status are those of `old`.
    func revise(
        _ envelope: Envelope, _ old: JSON, duplicates: [String], faults: [FieldFault]
    ) async throws(APIError) -> Admitted {
        var envelope = envelope
        ServerMetadata.carry(from: old, of: kind.definition, into: &envelope)
        var admitted = try await review(
            envelope.object, old: old, change: .update, duplicates: duplicates, faults: faults)
        ServerMetadata.advanceGeneration(&admitted.object, from: old)
        return admitted
    }

    func reviseStatus(
        _ status: JSON?, _ old: JSON, duplicates: [String], faults: [FieldFault]
    ) async throws(APIError) -> Admitted {
        var object = old
        object["status"] = status
        object["metadata"]?["resourceVersion"] = nil
        object["metadata"]?["managedFields"] = nil
        return try await review(object, old: old, change: .status, duplicates: duplicates, faults: faults)
    }

    /// Holds a request's preconditions, the uid and the revision that it names, against the object as it is.
    func check(_ envelope: Envelope, _ old: JSON) throws(APIError) {
        try checkUID(envelope, old)
        let revision = try envelope.revision()
        if let revision, old[path: "metadata", "resourceVersion"]?.stringValue != String(revision) {
            throw .modified(kind.definition, old[path: "metadata", "name"]?.stringValue ?? "")
        }
    }

    private func checkUID(_ envelope: Envelope, _ old: JSON) throws(APIError) {
        guard let uid = envelope.metadata["uid"]?.stringValue, !uid.isEmpty else { return }
        let actual = old[path: "metadata", "uid"]?.stringValue ?? ""
        guard uid == actual else {
            throw .conflict(
                kind.definition, old[path: "metadata", "name"]?.stringValue ?? "",
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(actual)")
        }
    }

    func review(
        _ candidate: JSON, old: JSON?, change: AdmissionRequest.Change, duplicates: [String], faults: [FieldFault]
    ) async throws(APIError) -> Admitted {
        var findings = SchemaFindings()
        for fault in faults { findings.add(fault) }
        var object = kind.definition.schema.check(candidate, at: "", into: &findings)
        var warnings = try strictnessWarnings(unknown: findings.unknownFields, duplicate: duplicates)
        if let fault = Self.annotationsFault(object) { findings.add(fault) }
        if let fault = nameFault(object) { findings.add(fault) }
        for fault in OwnershipRules.faults(object) { findings.add(fault) }
        if let old {
            for fault in Self.newFinalizerFaults(object, old) { findings.add(fault) }
        }
        let isTyped = complete(&object, &findings)
        if isTyped {
            // Rules between fields can be judged as soon as the object decodes, beside whatever the schema found.
            try addSemanticFaults(object, old: old, &findings)
            let review = try await kind.admit(
                AdmissionRequest(change: change, object: object, old: old, caller: caller, isDryRun: options.isDryRun))
            for fault in review.faults { findings.add(fault) }
            warnings += review.warnings
        }
        guard findings.faults.isEmpty else {
            let name = object[path: "metadata", "name"]?.stringValue ?? object[path: "metadata", "generateName"]?.stringValue ?? ""
            throw .invalid(kind.definition, name, Self.unique(findings.faults))
        }
        do { warnings += try kind.definition.warnings(object) } catch { throw .internalError(cause: "\(error)") }
        return Admitted(object: object, warnings: warnings)
    }

    private func strictnessWarnings(unknown: [String], duplicate: [String]) throws(APIError) -> [String] {
        let messages = duplicate.map { "duplicate field \"\($0)\"" } + unknown.map { "unknown field \"\($0)\"" }
        switch options.fieldValidation {
        case .ignore: return []
        case .warn: return messages
        case .strict:
            guard messages.isEmpty else { throw .badRequest("strict decoding error: \(messages.joined(separator: ", "))") }
            return []
        }
    }

    /// Bytes of all annotations, keys and values, at most: Kubernetes' limit.
    private static let annotationsBytesMax = 262_144

    private static func annotationsFault(_ object: JSON) -> FieldFault? {
        let annotations = object[path: "metadata", "annotations"]?.objectValue ?? [:]
        let total = annotations.reduce(0) { $0 + $1.key.utf8.count + ($1.value.stringValue?.utf8.count ?? 0) }
        guard total > annotationsBytesMax else { return nil }
        return FieldFault("metadata.annotations", .tooLong, "must have at most \(annotationsBytesMax) bytes, keys and values together")
    }

    /// Fills in what depends on other fields; false when the object has faults that keep it from being one of its type.
    private func complete(_ object: inout JSON, _ findings: inout SchemaFindings) -> Bool {
        do {
            object = try kind.definition.complete(object)
            return true
        } catch let error as JSON.DecodeError {
            // With faults of the schema's own this one is their consequence.
            if findings.faults.isEmpty { findings.add(FieldFault(error.path, .invalid, error.message)) }
        } catch {
            if findings.faults.isEmpty { findings.add(FieldFault("", .invalid, "\(error)")) }
        }
        return false
    }

    private func addSemanticFaults(_ object: JSON, old: JSON?, _ findings: inout SchemaFindings) throws(APIError) {
        do {
            for fault in try kind.definition.faults(object, old) { findings.add(fault) }
        } catch {
            throw .internalError(cause: "the kind's rules could not be applied: \(error)")
        }
    }

    private func nameFault(_ object: JSON) -> FieldFault? {
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        return name.isEmpty ? FieldFault("metadata.name", .required, "name or generateName is required") : nil
    }

    private static func newFinalizerFaults(_ object: JSON, _ old: JSON) -> [FieldFault] {
        guard old.isBeingDeleted else { return [] }
        let before = Set(old.finalizers)
        let added = object.finalizers.filter { !before.contains($0) }
        guard !added.isEmpty else { return [] }
        let names = added.joined(separator: ", ")
        return [
            FieldFault(
                "metadata.finalizers", .forbidden, "no new finalizers can be added if the object is being deleted, found: \(names)")
        ]
    }

    private static func unique(_ faults: [FieldFault]) -> [FieldFault] {
        var seen: Set<FieldFault> = []
        return faults.filter { seen.insert($0).inserted }
    }
}
