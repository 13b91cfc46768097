import JSONCoding

/// The merge patch (RFC 7396) that turns what a server has into what a file says, leaving alone what others added.
///
/// As kubectl's client-side apply does it: what the file says and the server has otherwise is set; what the file said last time and does not
/// say any more is removed; all else stays. The last state is kept in kubectl's own annotation, so that both can be used in turn.
enum ThreeWayPatch {
    static let lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"

    /// Nil when nothing is to be done.
    static func make(last: JSON?, wanted: JSON, current: JSON) -> JSON? {
        let patch = merge(last: last ?? .object([:]), wanted: wanted, current: current)
        if case .object(let members)? = patch, members.isEmpty { return nil }
        return patch
    }

    private static func merge(last: JSON, wanted: JSON, current: JSON) -> JSON? {
        guard case .object(let wantedMembers) = wanted, case .object(let currentMembers) = current else {
            return wanted == current ? nil : wanted
        }
        var patch: [String: JSON] = [:]
        for (name, value) in wantedMembers {
            // A null in a file means absent, as it does for the server.
            if value.isNull {
                if currentMembers.keys.contains(name) { patch[name] = .null }
                continue
            }
            guard let have = currentMembers[name] else {
                patch[name] = value
                continue
            }
            if let inner = merge(last: last[name] ?? .object([:]), wanted: value, current: have) {
                if case .object(let members) = inner, members.isEmpty { continue }
                patch[name] = inner
            }
        }
        for name in (last.objectValue ?? [:]).keys where !wantedMembers.keys.contains(name) && currentMembers.keys.contains(name) {
            patch[name] = .null
        }
        return .object(patch)
    }

    /// The document with the annotation that remembers it.
    static func annotated(_ document: JSON) -> JSON {
        var plain = document
        plain["metadata"]?["annotations"]?[lastAppliedAnnotation] = nil
        if plain[path: "metadata", "annotations"]?.objectValue?.isEmpty == true { plain["metadata"]?["annotations"] = nil }
        var result = plain
        let text = String(decoding: plain.encoded(), as: UTF8.self)
        var metadata = result["metadata"]?.objectValue ?? [:]
        var annotations = metadata["annotations"]?.objectValue ?? [:]
        annotations[lastAppliedAnnotation] = .string(text)
        metadata["annotations"] = .object(annotations)
        result["metadata"] = .object(metadata)
        return result
    }

    /// What was applied last, as the object remembers it.
    static func lastApplied(_ object: JSON) -> JSON? {
        guard let text = object[path: "metadata", "annotations", lastAppliedAnnotation]?.stringValue else { return nil }
        do throws(JSON.ParseError) {
            return try JSON(parsing: Array(text.utf8))
        } catch {
            return nil
        }
    }
}
