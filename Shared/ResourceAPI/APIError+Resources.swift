import JSONCoding
import Model
import ResourceStore

/// Errors in kube-apiserver's words, so that clients that match on them find what they know.
extension APIError {
    static func notFound(_ definition: ResourceDefinition, _ name: String) -> APIError {
        about(definition, 404, "NotFound", "\(definition.groupResource) \"\(name)\" not found", name)
    }

    static func alreadyExists(_ definition: ResourceDefinition, _ name: String) -> APIError {
        about(definition, 409, "AlreadyExists", "\(definition.groupResource) \"\(name)\" already exists", name)
    }

    static func modified(_ definition: ResourceDefinition, _ name: String) -> APIError {
        conflict(
            definition, name, "the object has been modified; please apply your changes to the latest version and try again")
    }

    static func conflict(_ definition: ResourceDefinition, _ name: String, _ text: String) -> APIError {
        about(
            definition, 409, "Conflict", "Operation cannot be fulfilled on \(definition.groupResource) \"\(name)\": \(text)", name)
    }

    static func methodNotAllowed(_ definition: ResourceDefinition, _ verb: Verb) -> APIError {
        about(definition, 405, "MethodNotAllowed", "\(verb.rawValue) is not supported on \(definition.groupResource)", nil)
    }

    /// Everything that is wrong with an object of a kind, at once.
    static func invalid(_ definition: ResourceDefinition, _ name: String, _ faults: [FieldFault]) -> APIError {
        var error = invalid(kind: definition.kind, name: name, faults)
        error.group = definition.groupVersion.group
        return error
    }

    private static func about(_ definition: ResourceDefinition, _ code: Int, _ reason: String, _ message: String, _ name: String?)
        -> APIError
    {
        var error = APIError(code: code, reason: reason, message: message, kind: definition.plural, name: name)
        error.group = definition.groupVersion.group
        return error
    }

    /// What a store's refusal means to the caller of one object.
    init(_ error: StoreError, _ definition: ResourceDefinition) {
        switch error {
        case .notFound(let key, _): self = .notFound(definition, key.name)
        case .alreadyExists(let key, _): self = .alreadyExists(definition, key.name)
        case .conflict(.revision(let key, _, _), _): self = .modified(definition, key.name)
        case .conflict(.uid(let key, let expected, let actual), _):
            self = .conflict(
                definition, key.name, "Precondition failed: UID in precondition: \(expected), UID in object meta: \(actual)")
        case .conflict(.record, _):
            self = APIError(code: 409, reason: "Conflict", message: "what the object depends on has changed; try again", cause: "\(error)")
        case .tooOld(let message): self = .expired(message)
        case .overloaded: self = .unavailable("too many requests are waiting for the store; try again")
        case .unavailable(let cause): self = .unavailable("the store cannot be written or read now; try again", cause: cause)
        case .invalid(let message): self = .badRequest(message)
        case .unsupported(let message): self = APIError(code: 405, reason: "MethodNotAllowed", message: message)
        case .corrupt(let cause): self = .internalError(cause: cause)
        case .cancelled: self = .unavailable("the request was cancelled")
        case .closed: self = .unavailable("the server is shutting down")
        case .refused(let refusal): self = refusal
        }
    }
}
