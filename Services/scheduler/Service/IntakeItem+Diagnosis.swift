import Digests
import JSONCoding
import Model
import SchedulerCore

extension IntakeItem {
    /// Why it can never be stored; nil when it can.
    var fault: String? {
        if let fault = Names.labelFault(namespace) { return "namespace \(fault)" }
        if let fault = Names.subdomainFault(operationSet) { return "operationSet \(fault)" }
        if let fault = Names.subdomainFault(trigger) { return "trigger \(fault)" }
        if fingerprint.isEmpty || fingerprint.utf8.count > 128 { return "fingerprint must have from 1 to 128 bytes" }
        if triggerUID.rawValue.isEmpty || triggerUID.rawValue.utf8.count > 128 { return "triggerUID must have from 1 to 128 bytes" }
        if resolved == true { return nil }
        if let requested { return requested.fault }
        if nodeName?.isEmpty ?? true, podReference == nil { return "there is neither a node nor a pod to diagnose" }
        if let nodeName, nodeName.utf8.count > 253 { return "nodeName must be no more than 253 bytes" }
        for (key, value) in parameters ?? [:] {
            if let fault = OperationSpec.parameterKeyFault(key) { return "parameter \"\(key.prefix(64))\" \(fault)" }
            if value.utf8.count > 262_144 { return "parameter \"\(key)\" must be no more than 262144 bytes" }
        }
        let total = parameters?.values.reduce(0) { $0 + $1.utf8.count } ?? 0
        return total > DiagnosisSpec.parametersBytesMax
            ? "parameters must be no more than \(DiagnosisSpec.parametersBytesMax) bytes in all" : nil
    }
}

extension RequestedDiagnosis {
    /// As the API holds an object that somebody posts against its schema and its rules.
    fileprivate var fault: String? {
        var metadata = ObjectMeta(name: namePrefix ?? "requested", labels: labels, annotations: annotations)
        metadata.namespace = API.defaultNamespace
        if let fault = Names.subdomainFault(metadata.name) { return "requested.namePrefix \(fault)" }
        do {
            let object = try JSON(encoding: Diagnosis(metadata: metadata, spec: spec))
            var findings = SchemaFindings()
            let checked = Diagnosis.definition.schema.check(object, at: "", into: &findings)
            if let fault = findings.faults.first { return "requested: \(fault)" }
            return try Diagnosis.definition.faults(checked, nil).first.map { "requested: \($0)" }
        } catch {
            return "requested: \(error)"
        }
    }
}

extension Diagnosis {
    /// The diagnosis that a match becomes. Labels are for selecting and carry hashes where a value is no label value; annotations say it in full.
    init(_ item: IntakeItem, at now: Timestamp) {
        if let requested = item.requested {
            self.init(requested, item, at: now)
            return
        }
        var spec = DiagnosisSpec(operationSet: item.operationSet, nodeName: item.nodeName, parameters: item.parameters)
        spec.podReference = item.podReference
        let name = DiagnosisNames.triggered(
            trigger: item.trigger, triggerUID: item.triggerUID, fingerprint: item.fingerprint, startsAt: item.startsAt, createdAt: now)
        self.init(created: name, in: item.namespace, spec: spec, at: now)
        var labels = [
            WellKnown.triggerLabel: Self.labelValue(item.trigger), WellKnown.fingerprintLabel: Self.labelValue(item.fingerprint),
        ]
        var annotations = [WellKnown.triggerAnnotation: item.trigger]
        if let source = item.sourceName {
            labels[WellKnown.alertLabel] = Self.labelValue(source)
            annotations[WellKnown.alertAnnotation] = source
        }
        if let sourceLabels = item.sourceLabels {
            let json = JSON.object(sourceLabels.mapValues { .string($0) })
            annotations[WellKnown.alertLabelsAnnotation] = String(decoding: json.encoded(), as: UTF8.self)
        }
        annotations[WellKnown.startsAtAnnotation] = item.startsAt?.description
        annotations[WellKnown.traceparentAnnotation] = item.traceparent
        metadata.labels = labels
        metadata.annotations = annotations
    }

    private init(_ requested: RequestedDiagnosis, _ item: IntakeItem, at now: Timestamp) {
        let name = DiagnosisNames.requested(
            prefix: requested.namePrefix ?? item.trigger, triggerUID: item.triggerUID, fingerprint: item.fingerprint)
        self.init(created: name, in: item.namespace, spec: requested.spec, at: now)
        var labels = requested.labels ?? [:]
        labels[WellKnown.sourceLabel] = Self.labelValue(item.trigger)
        labels[WellKnown.fingerprintLabel] = Self.labelValue(item.fingerprint)
        var annotations = requested.annotations ?? [:]
        annotations[WellKnown.sourceAnnotation] = item.sourceName ?? item.trigger
        annotations[WellKnown.traceparentAnnotation] = item.traceparent
        metadata.labels = labels
        metadata.annotations = annotations
    }

    /// The text itself where it is a label value, else a hash of it.
    static func labelValue(_ text: String) -> String {
        if !text.isEmpty, Names.labelValueFault(text) == nil { return text }
        return String(Digest.base32(Digest.sha256(text)).prefix(26))
    }
}
