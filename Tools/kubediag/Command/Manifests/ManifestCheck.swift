import JSONCoding
import Model

/// What can be said about documents before anything is sent: every fault at once, at its line.
enum ManifestCheck {
    static func faults(_ documents: [ManifestDocument]) -> [ManifestFault] {
        var faults: [ManifestFault] = []
        var seen: [String: ManifestDocument] = [:]
        for document in documents {
            faults += check(document)
            let key = "\(document.kind)/\(document.namespace)/\(document.name)"
            if let first = seen[key], !document.name.isEmpty {
                faults.append(ManifestFault(document, "metadata.name", "stands at \(first.file):\(first.line) already"))
            }
            seen[key] = document
        }
        return faults
    }

    private static func check(_ document: ManifestDocument) -> [ManifestFault] {
        guard let version = document.json["apiVersion"]?.stringValue else {
            return [ManifestFault(document, "apiVersion", "is missing; it is \(API.groupVersion)")]
        }
        let kinds = API.definitions.filter { $0.groupVersion.text == version }
        // Of Kubernetes' own kinds there is one.
        guard kinds.contains(where: { $0.kind == document.kind }) || version == API.groupVersion else {
            return [ManifestFault(document, "apiVersion", "is \"\(version)\"; this program applies \(API.groupVersion)")]
        }
        guard let definition = kinds.first(where: { $0.kind == document.kind }) else {
            let near = NearestName.find(document.kind, among: kinds.map(\.kind))
            let known = kinds.map(\.kind).joined(separator: ", ")
            let way = near.map { "Did you mean \"\($0)\"?" } ?? "There are \(known)."
            return [ManifestFault(document, "kind", "\"\(document.kind)\" does not exist. \(way)")]
        }
        guard !document.name.isEmpty else { return [ManifestFault(document, "metadata.name", "is missing")] }
        return check(document, definition)
    }

    private static func check(_ document: ManifestDocument, _ definition: ResourceDefinition) -> [ManifestFault] {
        var findings = SchemaFindings()
        let pruned = definition.schema.check(document.json, at: "", into: &findings)
        var faults = findings.faults.map { ManifestFault(document, $0.path, $0.message) }
        faults += findings.unknownFields.map { path in
            let near = nearMiss(path, definition.schema)
            return ManifestFault(document, path, "is no field\(near.map { ". Did you mean \"\($0)\"?" } ?? "")")
        }
        if faults.isEmpty { faults += semanticFaults(document, definition, pruned) }
        return faults
    }

    private static func semanticFaults(_ document: ManifestDocument, _ definition: ResourceDefinition, _ json: JSON) -> [ManifestFault] {
        do {
            return try definition.faults(try definition.complete(json), nil).map { ManifestFault(document, $0.path, $0.message) }
        } catch let error as JSON.DecodeError {
            return [ManifestFault(document, error.path, error.message)]
        } catch {
            return [ManifestFault(document, "", "\(error)")]
        }
    }

    /// The field that the last part of an unknown path may have meant.
    private static func nearMiss(_ path: String, _ schema: Schema) -> String? {
        var current = schema
        var parts = path.split(whereSeparator: { $0 == "." || $0 == "[" }).map { $0.hasSuffix("]") ? String($0.dropLast()) : String($0) }
        guard let last = parts.popLast() else { return nil }
        for part in parts {
            switch current.shape {
            case .object(let properties):
                guard let next = properties.first(where: { $0.name == part }) else { return nil }
                current = next.schema
            case .array(let items, _, _): current = items
            case .map(let values, _, _): current = values
            default: return nil
            }
        }
        guard case .object(let properties) = current.shape else { return nil }
        return NearestName.find(last, among: properties.map(\.name))
    }
}
