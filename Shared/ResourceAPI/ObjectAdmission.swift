import JSONCoding
import Model
import ResourceStore
import ServiceKit

/// The way from a request's body to an object that may be stored: envelope, server-owned metadata, schema with pruning and defaults, the
/// kind's own rules, the service's. All faults of the last three come at once.
struct ObjectAdmission: Sendable {
    let kind: ServedKind
    let options: WriteOptions
    let caller: Caller
    let now: Timestamp

    /// An object that passed.
    struct Admitted: Sendable {
        var object: JSON
        var warnings: [String]
    }

    func create(_ body: JSON, at address: ObjectAddress) async throws(APIError) -> Admitted {
        var envelope = try Envelope(body, definition: kind.definition, at: address)
        try ServerMetadata.stamp(new: &envelope, now: now)
        return try await review(envelope.object, old: nil, change: .create)
    }

    func update(_ body: JSON, at address: ObjectAddress, replacing old: JSON) async throws(APIError) -> Admitted {
        var envelope = try Envelope(body, definition: kind.definition, at: address)
        try checkUID(envelope, old)
        ServerMetadata.carry(from: old, into: &envelope)
        var admitted = try await review(envelope.object, old: old, change: .update)
        ServerMetadata.advanceGeneration(&admitted.object, from: old)
        return admitted
    }

    /// Takes the status of `body` alone; the rest of the object stays as it is.
    func status(_ body: JSON, at address: ObjectAddress, replacing old: JSON) async throws(APIError) -> Admitted {
        let envelope = try Envelope(body, definition: kind.definition, at: address)
        try checkUID(envelope, old)
        var object = old
        object["status"] = envelope.members["status"]
        object["metadata"]?["resourceVersion"] = nil
        return try await review(object, old: old, change: .status)
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

    private func review(_ candidate: JSON, old: JSON?, change: AdmissionRequest.Change) async throws(APIError) -> Admitted {
        var findings = SchemaFindings()
        var object = kind.definition.schema.check(candidate, at: "", into: &findings)
        var warnings = try unknownFieldWarnings(findings.unknownFields)
        if let fault = nameFault(object) { findings.add(fault) }
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
            throw .invalid(kind: kind.definition.kind, name: name, Self.unique(findings.faults))
        }
        do { warnings += try kind.definition.warnings(object) } catch { throw .internalError(cause: "\(error)") }
        return Admitted(object: object, warnings: warnings)
    }

    private func unknownFieldWarnings(_ fields: [String]) throws(APIError) -> [String] {
        let messages = fields.map { "unknown field \"\($0)\"" }
        switch options.fieldValidation {
        case .ignore: return []
        case .warn: return messages
        case .strict:
            guard messages.isEmpty else { throw .badRequest("strict decoding error: \(messages.joined(separator: ", "))") }
            return []
        }
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
        guard ServerMetadata.isBeingDeleted(old) else { return [] }
        let before = Set(ServerMetadata.finalizers(old))
        let added = ServerMetadata.finalizers(object).filter { !before.contains($0) }
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
