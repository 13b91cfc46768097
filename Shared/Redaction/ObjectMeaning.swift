import JSONCoding

/// What an object's members say together: that it is an environment variable of a container or a Secret, as Kubernetes writes them.
struct ObjectMeaning {
    private let isNamedSecret: Bool
    private let isSecret: Bool

    init(_ members: [String: JSON], _ isSecretName: (String) -> Bool) {
        let name = members["name"] ?? members["Name"] ?? members["NAME"]
        isNamedSecret = name?.stringValue.map(isSecretName) ?? false
        isSecret = members["kind"] == "Secret"
    }

    /// Whether the value of its member is secret whatever the member's own name.
    func isSecret(_ key: String) -> Bool {
        isSecret && (key == "data" || key == "stringData") || isNamedSecret && key.lowercased() == "value"
    }
}

extension ObjectMeaning {
    /// Members of a volume that says which Secret or token to mount.
    private static let sourceMembers: Set<String> = [
        "secretName", "name", "items", "optional", "defaultMode", "path", "expirationSeconds", "audience",
    ]

    /// Whether a member names a secret without holding it, as a volume of a pod does.
    static func isSource(_ key: String, _ value: JSON) -> Bool {
        guard key == "secret" || key == "serviceAccountToken", let members = value.objectValue else { return false }
        return members.keys.allSatisfy(sourceMembers.contains)
    }
}

/// Arguments of a program as they come, one by one.
struct ArgumentLine {
    private enum Program {
        case curl
        case mysql
        case sshpass
    }

    private var program: Program?
    private var last = ""
    private var followsSecretOption = false

    /// Counts an item that is no string.
    mutating func skip() {
        last = ""
        followsSecretOption = false
    }

    /// The end of an argument that is secret, if one is.
    mutating func secret(in text: String, isSecretOption: (String) -> Bool) -> Substring? {
        defer {
            program = Self.program(text) ?? program
            last = text
            followsSecretOption = isSecretOption(text)
        }
        if followsSecretOption, !text.hasPrefix("-") { return text[...] }
        switch program {
        case .sshpass where last == "-p": return text[...]
        case .sshpass where text.hasPrefix("-p") && text.utf8.count > 2, .mysql where text.hasPrefix("-p") && text.utf8.count > 2:
            return text.dropFirst(2)
        case .curl where ["-u", "--user", "--proxy-user"].contains(last):
            return text.firstIndex(of: ":").map { text[text.index(after: $0)...] }
        default: return nil
        }
    }

    private static func program(_ text: String) -> Program? {
        guard text.utf8.count <= 256, let name = text.split(separator: "/").last else { return nil }
        switch name {
        case "curl", "wget": return .curl
        case "sshpass": return .sshpass
        default: return name.hasPrefix("mysql") || name.hasPrefix("mariadb") ? .mysql : nil
        }
    }
}
