import HTTPMessage
import JSONCoding
import Model

/// What to do with fields that the schema does not know.
enum FieldValidation: String, Sendable {
    case strict = "Strict"
    case warn = "Warn"
    case ignore = "Ignore"
}

/// The query parameters of a write.
package struct WriteOptions: Sendable {
    var isDryRun = false
    var fieldValidation = FieldValidation.warn
    /// Who owns what is written.
    package var fieldManager: String
    /// Whether the request named its manager itself, as an apply must.
    var namesManager: Bool
    /// Whether an apply takes over what others own; nil where the request does not say.
    package var isForced: Bool?

    /// Reads `dryRun`, `fieldValidation`, `fieldManager` and `force`; `pretty` and unknown parameters are ignored, as kube-apiserver does.
    package init(_ query: Query = [:], userAgent: String? = nil) throws(APIError) {
        let manager = query["fieldManager"] ?? ""
        let faults = OwnerName.faults(manager)
        guard faults.isEmpty else { throw Self.invalid(faults) }
        namesManager = !manager.isEmpty
        fieldManager = namesManager ? manager : OwnerName.name(userAgent: userAgent)
        isDryRun = try Self.isDryRun(query.all("dryRun"))
        if let text = query["fieldValidation"], !text.isEmpty {
            guard let level = FieldValidation(rawValue: text) else {
                throw .badRequest("fieldValidation must be one of Strict, Warn and Ignore, not \"\(text)\"")
            }
            fieldValidation = level
        }
        if let text = query["force"], !text.isEmpty {
            guard ["true", "false", "1", "0"].contains(text) else { throw .badRequest("force must be true or false, not \"\(text)\"") }
            isForced = text == "true" || text == "1"
        }
    }

    /// What a patch of another kind than an apply must not say, and an apply must.
    func check(isApply: Bool) throws(APIError) {
        if isApply, !namesManager {
            throw Self.invalid([FieldFault("fieldManager", .required, "is required for apply patch")])
        }
        if !isApply, isForced != nil {
            throw Self.invalid([FieldFault("force", .forbidden, "may not be specified for non-apply patch")])
        }
    }

    private static func invalid(_ faults: [FieldFault]) -> APIError {
        .invalid(kind: "PatchOptions.meta.k8s.io", name: "", faults)
    }

    static func isDryRun(_ values: [String]) throws(APIError) -> Bool {
        let values = values.filter { !$0.isEmpty }
        guard values.allSatisfy({ $0 == "All" }) else { throw .badRequest("dryRun must be All") }
        return !values.isEmpty
    }
}

extension Int64 {
    /// A client's `resourceVersion`: a decimal number that is not negative, of at most 19 digits.
    init(resourceVersion text: String) throws(APIError) {
        guard text.utf8.count <= 19, text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(text) else {
            throw .badRequest("invalid resource version \"\(text)\"")
        }
        self = value
    }
}

extension JSON {
    /// A request's body as a document; 400 with the parser's words when it is none.
    init(requestBody bytes: [UInt8]) throws(APIError) {
        do {
            try self.init(parsing: bytes)
        } catch {
            switch error.reason {
            case .tooLarge: throw .tooLarge("\(error)")
            default: throw .badRequest("the body is not acceptable JSON: \(error)")
            }
        }
    }
}
