/// The base URL of another service: `http://host:port`, with neither query nor trailing slash.
public struct HTTPURL: SettingValue, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// A name or an address; an IPv6 address without its brackets.
    public let host: String
    public let port: Int
    /// Empty, or a path that begins with `/` and does not end with one.
    public let path: String

    public init?(_ text: String) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "http" || parts[0] == "https" else { return nil }
        scheme = String(parts[0])
        let authority = parts[1].prefix { $0 != "/" }
        var path = parts[1].dropFirst(authority.count)
        while path.last == "/" { path.removeLast() }
        guard !text.contains(where: { "?#@ \n\r\t".contains($0) }),
            let named = HostPort(authority, defaultPort: scheme == "https" ? 443 : 80)
        else { return nil }
        (host, port) = (named.host, named.port)
        self.path = String(path)
    }

    public static var placeholder: String { "URL" }

    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> HTTPURL {
        guard let url = HTTPURL(texts[0]) else {
            throw SettingSyntaxFault("\"\(texts[0])\" is no base URL; one looks like http://127.0.0.1:8082")
        }
        return url
    }

    public var description: String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)"
    }

    public var settingText: String { description }
}

/// A host and a port as they stand in a URL or in a `Host` field: `web-07:8080`, `[::1]:8080`, `web-07`.
public struct HostPort: Sendable, Hashable {
    /// In lower case; an IPv6 address without its brackets.
    public let host: String
    public let port: Int

    /// Nil where the text is no host with an optional port from 1 to 65535.
    public init?(_ text: some StringProtocol, defaultPort: Int) {
        let hostText: Substring
        var rest = Substring(text)
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            hostText = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            guard hostText.contains(":"), hostText.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            hostText = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(hostText.count)
            guard hostText.utf8.allSatisfy(Self.isNameByte) else { return nil }
        }
        guard !hostText.isEmpty, hostText.utf8.count <= 253 else { return nil }
        if rest.isEmpty {
            port = defaultPort
        } else {
            guard rest.first == ":", rest.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(rest.dropFirst()),
                (1...65535).contains(number)
            else { return nil }
            port = number
        }
        host = hostText.lowercased()
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
