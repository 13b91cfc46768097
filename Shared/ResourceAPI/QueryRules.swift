import HTTPMessage
import JSONCoding
import Model

/// What a request's query parameters have to be, as the documents tell it.
enum QueryRules {
    /// 400 that lists each known parameter whose value is not of its type: a truth value, a number or one of its choices. An empty value counts
    /// as an absent one and unknown parameters are ignored, as kube-apiserver does; texts are judged by whoever reads them.
    static func check(_ query: Query) throws(APIError) {
        guard !query.isEmpty else { return }
        var findings = SchemaFindings()
        for parameter in QueryParameter.all {
            for text in query.all(parameter.name) where !text.isEmpty {
                guard let value = value(text, parameter.schema.shape) else { continue }
                _ = parameter.schema.check(value, at: parameter.name, into: &findings)
            }
        }
        guard findings.faults.isEmpty else {
            throw .badRequest(findings.faults.map(\.description).joined(separator: ", "), causes: findings.faults)
        }
    }

    /// The text as a value of the type, or as itself where it is none; nil for a type that is not judged here.
    private static func value(_ text: String, _ shape: SchemaShape) -> JSON? {
        switch shape {
        case .boolean: truthValues[text].map(JSON.bool) ?? .string(text)
        case .integer: Int64(text).map(JSON.integer) ?? .string(text)
        case .string(let rules) where rules.values != nil: .string(text)
        default: nil
        }
    }

    /// As kube-apiserver reads them.
    private static let truthValues = ["true": true, "1": true, "false": false, "0": false]
}
