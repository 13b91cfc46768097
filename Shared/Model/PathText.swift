/// Paths as the kernel reads them: bytes, parted by the byte `/`.
///
/// A character of Swift may be more than that: `/` with a combining mark behind it is not the character `/`, CR and LF together are one
/// character, and characters are compared by what they mean. Rules for paths and URLs are rules for bytes.
public enum PathText {
    public static func isAbsolute(_ path: some StringProtocol) -> Bool { path.utf8.first == slash }

    /// Whether it begins with `/`, and has neither `..` nor a NUL.
    public static func isAbsoluteAndNeverUp(_ path: String) -> Bool {
        isAbsolute(path) && !path.utf8.contains(0) && !path.utf8.split(separator: slash).contains { $0.elementsEqual("..".utf8) }
    }

    /// The names on the way, without `.`.
    public static func parts(of path: String) -> [Substring] {
        path.utf8.split(separator: slash).map { Substring($0) }.filter { !$0.utf8.elementsEqual(".".utf8) }
    }

    /// Whether two names are one file's.
    public static func isSame(_ name: Substring, _ other: Substring) -> Bool { name.utf8.elementsEqual(other.utf8) }

    /// What stands before the last `/`; nil where there is none.
    public static func folder(of path: String) -> String? {
        path.utf8.lastIndex(of: slash).map { String(path[..<$0]) }
    }

    /// Whether it names a file in a folder: it is not empty, begins with no dot, and has neither `/` nor a NUL.
    public static func isPlainName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: ".") else { return false }
        return !name.utf8.contains { $0 == slash || $0 == 0 }
    }

    /// Whether a URL is one of http or https without user, query, fragment, blanks and control characters.
    public static func isPlainURL(_ url: some StringProtocol) -> Bool {
        let bytes = url.utf8
        guard bytes.starts(with: "http://".utf8) || bytes.starts(with: "https://".utf8) else { return false }
        return !bytes.contains { $0 <= 0x20 || $0 == 0x7F || "?#@".utf8.contains($0) }
    }

    private static let slash = UInt8(ascii: "/")
}
