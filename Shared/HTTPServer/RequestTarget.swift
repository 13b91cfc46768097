import Glibc
internal import HTTPMessage

/// The request target as it was sent, split at the `?` (RFC 9112, section 3.2).
struct RequestTarget: Sendable {
    let path: String
    let rawQuery: String
    /// Bytes that no URI has: control characters, spaces, anything beyond ASCII. The path and the query are empty then.
    let isMalformed: Bool

    /// Reads the C string that libmicrohttpd hands out before it takes the target apart.
    init(_ text: UnsafePointer<CChar>?) {
        let length = text.map { strlen($0) } ?? 0
        let bytes = UnsafeRawBufferPointer(start: text, count: length)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            (path, rawQuery, isMalformed) = ("", "", true)
            return
        }
        let question = bytes.firstIndex(of: UInt8(ascii: "?")) ?? length
        let start = Self.pathStart(bytes, end: question)
        path = start == question && start > 0 ? "/" : String(decoding: bytes[start..<question], as: UTF8.self)
        rawQuery = question < length ? String(decoding: bytes[(question + 1)...], as: UTF8.self) : ""
        isMalformed = length == 0 || !(path.utf8.first == UInt8(ascii: "/") || path == "*")
    }

    /// Steps over the scheme and the authority of `http://host/path`, which every server has to accept (RFC 9112, 3.2.2).
    private static func pathStart(_ bytes: UnsafeRawBufferPointer, end: Int) -> Int {
        guard end > 0, bytes[0] != UInt8(ascii: "/") else { return 0 }
        for scheme in ["http://", "https://"] where bytes.count >= scheme.utf8.count {
            let prefix = bytes[..<scheme.utf8.count]
            if zip(prefix, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) {
                return bytes[scheme.utf8.count..<end].firstIndex(of: UInt8(ascii: "/")) ?? end
            }
        }
        return 0
    }
}

/// How the head says that a body follows (RFC 9112, section 6).
struct Framing: Sendable, Equatable {
    enum Fault: Error, Equatable {
        /// A request that two readers could cut up differently: several lengths, or a length beside chunks.
        case ambiguous
        /// A transfer coding other than `chunked`.
        case unsupportedCoding
        /// A field name that is no token, `Content-Length ` with its space among them, which two readers could read differently
        /// (RFC 9112, 5.1).
        case fieldName
        /// No `Host` field in HTTP/1.1, or several (RFC 9112, 3.2).
        case host
    }

    enum Body: Equatable {
        case none
        case length(Int)
        case chunked
    }

    let body: Body
    /// Whether the client waits for `100 Continue` before it sends the body.
    let expectsContinue: Bool

    init(_ headers: Headers, isHTTP11: Bool) throws(Fault) {
        var lengths = 0
        var length = 0
        var codings = 0
        var hosts = 0
        var isChunked = false
        var expects = false
        for field in headers.fields {
            guard Headers.isValidName(field.name) else { throw .fieldName }
            switch field.name.utf8.count {
            case 4 where Headers.equalNames(field.name, "Host"): hosts += 1
            case 6 where Headers.equalNames(field.name, "Expect"): expects = true
            case 14 where Headers.equalNames(field.name, "Content-Length"):
                lengths += 1
                length = Int(field.value) ?? Int.max
            case 17 where Headers.equalNames(field.name, "Transfer-Encoding"):
                codings += 1
                isChunked = Headers.equalNames(field.value, "chunked")
            default: break
            }
        }
        guard lengths + codings <= 1 else { throw .ambiguous }
        guard codings == 0 || isChunked else { throw .unsupportedCoding }
        guard hosts <= 1, hosts == 1 || !isHTTP11 else { throw .host }
        body = isChunked ? .chunked : length > 0 ? .length(length) : .none
        expectsContinue = expects
    }
}
