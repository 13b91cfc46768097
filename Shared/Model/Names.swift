/// Kubernetes' rules for names and labels (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
public enum Names {
    public static let subdomainBytesMax = 253
    public static let labelValueBytesMax = 63

    // What the functions below judge, as documents spell it: regular expressions of ECMA 262.
    public static let subdomainPattern = "^\(label)(\\.\(label))*$"
    public static let labelPattern = "^\(label)$"
    public static let labelValuePattern = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
    public static let labelKeyPattern = "^(\(label)(\\.\(label))*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
    private static let label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

    /// Why `name` is not a DNS-1123 subdomain (lower-case letters, digits, `-` and `.`), or nil when it is one.
    public static func subdomainFault(_ name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.count > subdomainBytesMax { return "must be no more than \(subdomainBytesMax) bytes" }
        let isFine = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(isDNSLabel)
        return isFine
            ? nil : "must be a lowercase RFC 1123 subdomain: letters a-z, digits, '-' and '.', starting and ending with a letter or digit"
    }

    /// Why `name` is not a DNS-1123 label of at most 63 bytes, or nil when it is one.
    public static func labelFault(_ name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.count > labelValueBytesMax { return "must be no more than \(labelValueBytesMax) bytes" }
        return isDNSLabel(name.utf8[...])
            ? nil : "must be a lowercase RFC 1123 label: letters a-z, digits and '-', starting and ending with a letter or digit"
    }

    /// Why `value` is not a label value, or nil when it is one. An empty value is one.
    public static func labelValueFault(_ value: String) -> String? {
        if value.utf8.count > labelValueBytesMax { return "must be no more than \(labelValueBytesMax) bytes" }
        return value.isEmpty || isQualifiedPart(value.utf8[...])
            ? nil : "must consist of letters, digits, '-', '_' and '.', starting and ending with a letter or digit"
    }

    /// Why `key` is not a label key (`[prefix/]name`), or nil when it is one.
    public static func labelKeyFault(_ key: String) -> String? {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.last else { return "must have at most one '/'" }
        if parts.count == 2, let fault = subdomainFault(String(parts[0])) { return "prefix part \(fault)" }
        if name.isEmpty { return "name part must not be empty" }
        if name.utf8.count > 63 { return "name part must be no more than 63 bytes" }
        return isQualifiedPart(name.utf8[...])
            ? nil : "name part must consist of letters, digits, '-', '_' and '.', starting and ending with a letter or digit"
    }

    private static func isDNSLabel(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isLowerAlphanumeric(first), isLowerAlphanumeric(last) else { return false }
        return bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isQualifiedPart(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains($0) }
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (65...90).contains(byte)
    }
}
