import HTTPMessage

/// `Warning` fields as kube-apiserver sends them: `299 - "text"` (RFC 7234, section 5.5).
package enum WarningField {
    /// Fields of one answer, and bytes of one text, at most.
    static let fieldsMax = 50
    static let textBytesMax = 256

    package static func values(_ warnings: [String]) -> [String] {
        var values = warnings.prefix(fieldsMax).map { "299 - \"\(escaped($0))\"" }
        if warnings.count > fieldsMax { values.append("299 - \"and \(warnings.count - fieldsMax) more warnings\"") }
        return values
    }

    /// Control characters become spaces, so that no text can end the line it stands in.
    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard bytes.count < textBytesMax else {
                bytes += "...".utf8
                break
            }
            switch scalar {
            case "\"", "\\": bytes += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: bytes.append(UInt8(ascii: " "))
            default: bytes += UTF8.encode(scalar).map { Array($0) } ?? []
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
