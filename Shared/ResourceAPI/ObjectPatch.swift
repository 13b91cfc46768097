import JSONCoding
import Model

/// The kinds of patches that are served.
package enum ObjectPatch: Sendable {
    /// RFC 7396.
    case merge(RequestBody)
    /// RFC 6902, with the duplicate fields of its document.
    case json(JSONPatch, duplicateFields: [String])
    /// Kubernetes' server-side apply.
    case apply(RequestBody)

    /// Reads a patch by its media type, which is one of `MediaTypes.patchesServed`.
    package init(_ body: RequestBody, type: String) throws(APIError) {
        switch type {
        case MediaTypes.applyPatch: self = .apply(body)
        case MediaTypes.jsonPatch:
            do throws(JSONPatch.Fault) {
                self = .json(try JSONPatch(body.json), duplicateFields: body.duplicateFields)
            } catch {
                throw APIError(error)
            }
        default:
            guard case .object = body.json else {
                throw .badRequest("a merge patch must be an object, not \(body.json.kindDescription)")
            }
            self = .merge(body)
        }
    }

    /// The object that the patch makes of `old`. An apply makes none by itself.
    package func applied(to old: JSON) throws(APIError) -> RequestBody {
        switch self {
        case .merge(let patch):
            var result = RequestBody(json: old.applying(mergePatch: patch.json))
            result.duplicateFields = patch.duplicateFields
            return result
        case .json(let patch, let duplicateFields):
            do throws(JSONPatch.Fault) {
                var result = RequestBody(json: try old.applying(patch))
                result.duplicateFields = duplicateFields
                return result
            } catch {
                throw APIError(error)
            }
        case .apply(let body): return body
        }
    }
}

extension APIError {
    /// A patch that is none is a 400, one that has too much of it a 413, one that does not fit the object a 422, as in kube-apiserver.
    init(_ fault: JSONPatch.Fault) {
        switch fault.kind {
        case .malformed: self = .badRequest("\(fault)")
        case .tooLarge: self = .tooLarge("\(fault)")
        case .inapplicable: self = APIError(code: 422, reason: "Invalid", message: "\(fault)")
        }
    }
}
