import HTTPMessage
import Model

/// The types of bodies.
package enum MediaTypes {
    static let json = "application/json"
    package static let mergePatch = "application/merge-patch+json"
    package static let jsonPatch = "application/json-patch+json"
    static let applyPatch = "application/apply-patch+yaml"
    static let patchesServed = [jsonPatch, mergePatch, applyPatch]
    /// What a patch may say it is without being refused before its body is read: the kind that Kubernetes has and we do not is refused by
    /// the handler, whose answer says which kinds are served.
    static let patches: Set<String> = Set(patchesServed + ["application/strategic-merge-patch+json"])

    /// The type of a patch; 415 for one that is not served, which lists those that are.
    static func patchType(_ headers: Headers) throws(APIError) -> String {
        let type = essence(headers["Content-Type"])
        guard let type, patchesServed.contains(type) else {
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + patchesServed.joined(separator: ", "))
        }
        return type
    }

    /// The ranges of an `Accept`, each as its type and its parameters, in lower case.
    static func ranges(_ accept: String?) -> [[String]] {
        (accept ?? "").split(separator: ",").map { range in range.split(separator: ";").map { $0.trimmed.lowercased() } }
    }

    /// A media type without its parameters, in lower case.
    static func essence(_ value: String?) -> String? {
        guard let value, let type = value.split(separator: ";", omittingEmptySubsequences: false).first else { return nil }
        return type.trimmed.lowercased()
    }
}

/// How objects are wanted.
enum Representation: Sendable, Hashable {
    case object
    /// As kubectl prints them: `application/json;as=Table;v=v1;g=meta.k8s.io`.
    case table

    /// The first range of `Accept` that we can serve; 406 when there is none. No `Accept` at all means JSON.
    init(accept: String?) throws(APIError) {
        // What most say needs no taking apart.
        guard let accept, accept != MediaTypes.json, accept != "*/*", !accept.trimmed.isEmpty else {
            self = .object
            return
        }
        for parts in MediaTypes.ranges(accept) {
            guard let type = parts.first, [MediaTypes.json, "application/*", "*/*"].contains(type) else { continue }
            switch parts.first(where: { $0.hasPrefix("as=") }) {
            case nil:
                self = .object
                return
            case "as=table" where parts.contains("v=v1") && parts.contains("g=meta.k8s.io"):
                self = .table
                return
            default: continue
            }
        }
        throw APIError(
            code: 406, reason: "NotAcceptable", message: "only the following media types are accepted: \(MediaTypes.json)")
    }
}

extension StringProtocol {
    /// Without the white space around it.
    fileprivate var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}
