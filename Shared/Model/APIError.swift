import JSONCoding

/// An error that a caller is told: Kubernetes' `Status` on the wire.
///
/// `message` is for the caller; `cause` is for the log alone and never leaves the process.
public struct APIError: Error, Sendable, CustomStringConvertible {
    /// The HTTP status code.
    public var code: Int
    /// One stable CamelCase word, such as `NotFound`.
    public var reason: String
    public var message: String
    /// What the error is about, as far as it is about an object.
    public var kind: String?
    /// The API group of `kind`; empty for a core kind.
    public var group = API.group
    public var name: String?
    public var uid: String?
    public var causes: [FieldFault]
    /// Sent as `Retry-After` too.
    public var retryAfterSeconds: Int?
    /// `metadata.continue`: of a list that can no longer show its first page's moment, how to go on in the present.
    public var continueText: String?
    public var cause: String?

    public init(
        code: Int, reason: String, message: String, kind: String? = nil, name: String? = nil, uid: String? = nil, causes: [FieldFault] = [],
        retryAfterSeconds: Int? = nil, cause: String? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.kind = kind
        self.name = name
        self.uid = uid
        self.causes = causes
        self.retryAfterSeconds = retryAfterSeconds
        self.cause = cause
    }

    public var description: String {
        cause.map { "\(code) \(reason): \(message) (\($0))" } ?? "\(code) \(reason): \(message)"
    }
}

extension APIError {
    public static func badRequest(_ message: String, causes: [FieldFault] = []) -> APIError {
        APIError(code: 400, reason: "BadRequest", message: message, causes: causes)
    }
    public static func unauthorized(_ message: String) -> APIError {
        APIError(code: 401, reason: "Unauthorized", message: message)
    }
    public static func forbidden(_ message: String) -> APIError {
        APIError(code: 403, reason: "Forbidden", message: message)
    }
    public static func notFound(kind: String, name: String) -> APIError {
        APIError(code: 404, reason: "NotFound", message: "\(kind) \"\(name)\" not found", kind: kind, name: name)
    }
    public static func alreadyExists(kind: String, name: String) -> APIError {
        APIError(code: 409, reason: "AlreadyExists", message: "\(kind) \"\(name)\" already exists", kind: kind, name: name)
    }
    public static func conflict(kind: String, name: String, _ message: String) -> APIError {
        APIError(code: 409, reason: "Conflict", message: message, kind: kind, name: name)
    }
    public static func expired(_ message: String) -> APIError {
        APIError(code: 410, reason: "Expired", message: message)
    }
    public static func tooLarge(_ message: String) -> APIError {
        APIError(code: 413, reason: "RequestEntityTooLarge", message: message)
    }
    public static func unsupportedMediaType(_ message: String) -> APIError {
        APIError(code: 415, reason: "UnsupportedMediaType", message: message)
    }
    /// Everything that is wrong with an object, at once.
    public static func invalid(kind: String, name: String, _ faults: [FieldFault]) -> APIError {
        let list = faults.map(\.description).joined(separator: "; ")
        return APIError(
            code: 422, reason: "Invalid", message: "\(kind) \"\(name)\" is invalid: \(list)", kind: kind, name: name, causes: faults)
    }
    public static func tooManyRequests(_ message: String, retryAfterSeconds: Int) -> APIError {
        APIError(code: 429, reason: "TooManyRequests", message: message, retryAfterSeconds: retryAfterSeconds)
    }
    public static func unavailable(_ message: String, retryAfterSeconds: Int = 1, cause: String? = nil) -> APIError {
        APIError(code: 503, reason: "ServiceUnavailable", message: message, retryAfterSeconds: retryAfterSeconds, cause: cause)
    }
    public static func internalError(cause: String) -> APIError {
        APIError(
            code: 500, reason: "InternalError", message: "an internal error occurred; its cause is in this process's log", cause: cause)
    }
}

extension APIError {
    /// The `Status` object of this error.
    public var status: JSON {
        var details: [String: JSON] = [:]
        if let kind {
            details["kind"] = .string(kind)
            if !group.isEmpty { details["group"] = .string(group) }
        }
        if let name { details["name"] = .string(name) }
        if let uid { details["uid"] = .string(uid) }
        if let retryAfterSeconds { details["retryAfterSeconds"] = .integer(Int64(retryAfterSeconds)) }
        if !causes.isEmpty {
            details["causes"] = .array(
                causes.map {
                    .object(["reason": .string($0.reason.rawValue), "message": .string($0.message), "field": .string($0.path)])
                })
        }
        let metadata = continueText.map { ["continue": JSON.string($0)] } ?? [:]
        return .object([
            "kind": .string("Status"), "apiVersion": .string("v1"), "metadata": .object(metadata), "status": .string("Failure"),
            "message": .string(message), "reason": .string(reason), "details": .object(details), "code": .integer(Int64(code)),
        ])
    }

    /// Reads a `Status` body; nil when `json` is none.
    public init?(status json: JSON) {
        guard case .object(let status) = json, case .string("Status")? = status["kind"], case .integer(let code)? = status["code"],
            (400...599).contains(code)
        else { return nil }
        func text(_ value: JSON?) -> String? {
            if case .string(let text)? = value { text } else { nil }
        }
        self.init(code: Int(code), reason: text(status["reason"]) ?? "Unknown", message: text(status["message"]) ?? "")
        if case .object(let metadata)? = status["metadata"] { continueText = text(metadata["continue"]) }
        guard case .object(let details)? = status["details"] else { return }
        kind = text(details["kind"])
        group = text(details["group"]) ?? ""
        name = text(details["name"])
        uid = text(details["uid"])
        if case .integer(let seconds)? = details["retryAfterSeconds"] { retryAfterSeconds = Int(clamping: seconds) }
        guard case .array(let list)? = details["causes"] else { return }
        causes = list.compactMap { entry in
            guard case .object(let cause) = entry else { return nil }
            let reason = text(cause["reason"]).flatMap(FieldFault.Reason.init(rawValue:)) ?? .invalid
            return FieldFault(text(cause["field"]) ?? "", reason, text(cause["message"]) ?? "")
        }
    }
}
