import HTTPMessage
import JSONCoding

/// A file that holds output of a step.
struct EvidenceItem: Sendable, Codable, Hashable {
    /// Path below `/api/v1/evidence/{uid}/`.
    var ref: String
    var path: String
    var bytes: Int64
    var operation: String
    /// Below an operation's own folder rather than the data directory.
    var isHostPath: Bool
    /// Decided when the file was written.
    var contentType = EvidenceContentType.binary
    /// Of the file as it was written, in hexadecimal; nil where it could not be read back.
    var sha256: String?
    /// Secrets in it that were replaced; nil where nobody looked, as in what is no text.
    var redactions: Int?

    init(
        ref: String, path: String, bytes: Int64, operation: String, isHostPath: Bool, contentType: String = EvidenceContentType.binary,
        sha256: String? = nil, redactions: Int? = nil
    ) {
        self.ref = ref
        self.path = path
        self.bytes = bytes
        self.operation = operation
        self.isHostPath = isHostPath
        self.contentType = contentType
        self.sha256 = sha256
        self.redactions = redactions
    }

    /// Journals of earlier agents know nothing of content types and digests.
    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        ref = try values.decode(String.self, forKey: .ref)
        path = try values.decode(String.self, forKey: .path)
        bytes = try values.decode(Int64.self, forKey: .bytes)
        operation = try values.decode(String.self, forKey: .operation)
        isHostPath = try values.decode(Bool.self, forKey: .isHostPath)
        contentType = try values.decodeIfPresent(String.self, forKey: .contentType) ?? EvidenceContentType.binary
        sha256 = try values.decodeIfPresent(String.self, forKey: .sha256)
        redactions = try values.decodeIfPresent(Int.self, forKey: .redactions)
    }

    /// As the journal has it.
    var json: JSON {
        var members = publicMembers
        members["isHostPath"] = .bool(isHostPath)
        return .object(members)
    }

    /// As it is listed.
    var publicMembers: [String: JSON] {
        var members: [String: JSON] = [
            "ref": .string(ref), "operation": .string(operation), "bytes": .integer(bytes), "path": .string(path),
            "contentType": .string(contentType),
        ]
        if let sha256 { members["sha256"] = .string(sha256) }
        if let redactions { members["redactions"] = .integer(Int64(redactions)) }
        return members
    }

    /// For the answer that carries the file: nothing that a browser could take for a page of this origin, whatever a step has put out.
    var headers: Headers {
        let name = FileName.safe(String(ref.split(separator: "/").last ?? "evidence"), bytesMax: 200)
        return [
            "Content-Type": contentType, "X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment; filename=\"\(name)\"",
        ]
    }
}

/// The content type of a file with evidence.
enum EvidenceContentType {
    static let binary = "application/octet-stream"
    static let text = "text/plain; charset=utf-8"
    static let json = "application/json"
    /// So much of a stream is looked at for what no text has.
    private static let sampleBytesMax = 8 * 1024

    /// Whether a stream is none of text: an early NUL is beside characters that no text has, or beside almost every other byte, as in UTF-16.
    /// Text whose parts a NUL separates, as in `/proc/PID/environ`, is text.
    static func isBinary(_ beginning: [UInt8]) -> Bool {
        let sample = beginning.prefix(sampleBytesMax)
        guard sample.contains(0) else { return false }
        let parts = sample.split(separator: 0)
        let characters = parts.reduce(0) { $0 + $1.count }
        return characters < 2 * parts.count || parts.isEmpty || parts.contains { $0.contains(where: isControl) }
    }

    /// A control character that terminals and texts have no use for.
    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x07 || (0x0E...0x1F).contains(byte) && byte != 0x1B }

    /// Of a value: JSON where it is an object or an array, else text.
    static func ofValue(_ text: String) -> String {
        guard let first = text.utf8.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            return Self.text
        }
        do throws(JSON.ParseError) {
            _ = try JSON(parsing: Array(text.utf8))
            return json
        } catch {
            return Self.text
        }
    }
}
