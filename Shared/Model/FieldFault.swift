/// One thing that is wrong with one field of an object.
///
/// `path` is dotted from the root, list items in brackets (`spec.adjacencyList[2].operation`); reasons are Kubernetes' cause types.
public struct FieldFault: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Reason: String, Sendable, Codable {
        case required = "FieldValueRequired"
        case invalid = "FieldValueInvalid"
        case notSupported = "FieldValueNotSupported"
        case duplicate = "FieldValueDuplicate"
        case forbidden = "FieldValueForbidden"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case typeInvalid = "FieldValueTypeInvalid"
        /// Another manager owns the field that an apply would change.
        case managerConflict = "FieldManagerConflict"
    }

    public var path: String
    public var reason: Reason
    public var message: String

    public init(_ path: String, _ reason: Reason, _ message: String) {
        self.path = path
        self.reason = reason
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}
