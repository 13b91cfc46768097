import JSONCoding
import Model
import YAMLReading

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

    /// The body of an apply: JSON where it begins like an object of that, else one document of YAML. 400 where it is neither, and where a mapping
    /// of YAML has a key twice.
    package init(yaml bytes: [UInt8]) throws(APIError) {
        let first = bytes.lazy.filter { !" \t\r\n".utf8.contains($0) }.prefix(2)
        // `{` and then a key without quotes is YAML's flow style.
        if first.isEmpty || first.first == UInt8(ascii: "{") && first.dropFirst().allSatisfy("\"}".utf8.contains) {
            self = try RequestBody(bytes)
            return
        }
        do throws(YAMLFault) {
            self.init(json: try YAMLBody.read(bytes))
        } catch {
            throw .badRequest("the body is not acceptable YAML: line \(error.line): \(error.message)")
        }
    }

    package init(json: JSON) { self.json = json }
}
