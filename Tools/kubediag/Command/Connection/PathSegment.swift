import HTTPMessage

/// Text as one segment of a path, whatever it holds.
enum PathSegment {
    static func encode(_ text: String) -> String {
        // `.` and `..` need no encoding by RFC 3986 but mean something in a path.
        text == "." || text == ".." ? text.replacing(".", with: "%2E") : PercentEncoding.encode(text)
    }
}
