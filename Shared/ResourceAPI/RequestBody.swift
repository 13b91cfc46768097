import JSONCoding
import Model

/// A request's body as a document, with what a strict reader minds in it.
package struct RequestBody: Sendable {
    package var json: JSON
    /// Paths of members that stand there twice; the last one counts.
    package var duplicateFields: [String] = []

    /// 400 with the parser's words when the bytes are no document of their type.
    package init(_ bytes: [UInt8]) throws(APIError) {
        var duplicates: [String] = []
        do {
            json = try JSON(parsing: bytes, duplicateFields: &duplicates)
        } catch {
            switch error.reason {
            case .tooLarge: throw .tooLarge("\(error)")
            default: throw .badRequest("the body is not acceptable JSON: \(error)")
            }
        }
        duplicateFields = duplicates
    }

    package init(json: JSON) { self.json = json }
}
