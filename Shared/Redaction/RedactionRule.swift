import RegularExpressions

/// One kind of secret: how it is found, and what of it is replaced.
struct RedactionRule: Sendable {
    /// Where a secret ends that does not end within what is in memory.
    enum Extent: Sendable {
        /// At a quote or the end of the line.
        case line
        /// Behind the `-----END` of its block.
        case block
    }

    /// For metrics and documents.
    let name: String
    let pattern: SearchPattern
    let extent: Extent

    init(_ name: String, _ source: String, extent: Extent = .line) throws(PatternError) {
        self.name = name
        pattern = try SearchPattern(compiling: source)
        self.extent = extent
    }

    /// What of a match is secret: its groups that took part, or all of it where the pattern has none.
    static func secrets(of match: SearchPattern.Match) -> [Range<Int>] {
        match.groups.isEmpty ? [match.range] : match.groups.compactMap { $0 }.filter { !$0.isEmpty }
    }
}

/// What is a secret unless somebody says more.
enum DefaultSecrets {
    /// The end of a name whose value is a secret: `DB_PASSWORD`, `client-secret`, `apiKey`, but neither `secretName` nor `max_tokens`.
    static let name =
        "(?i:passw(?:or)?d|passphrase|[_.-](?:pass|pwd)|secret|token|api[_-]?key|credentials?"
        + "|(?:access|private|secret|encryption|account|shared)[_-]?key)"

    private static let quoted = #""((?:[^"\\\r\n]|\\[^\r\n])+)|'([^'\r\n]+)|\\{1,3}"([^"\\\r\n]+)"#
    private static let bare = #"[^\s"'\\&<>{}\[\]()|][^\s"'&<>]*"#

    static func rules() throws(PatternError) -> [RedactionRule] {
        [
            // name=value, name: value, "name": "value", \"name\": \"value\"
            try RedactionRule("assignment", name + #"\\{0,3}["']?[ \t]{0,8}[:=][ \t]{0,8}(?:"# + quoted + "|(" + bare + "))"),
            // A YAML scalar with blanks in it, to the end of its line.
            try RedactionRule("assignment", #"(?m)^[ \t-]*[\w.-]*"# + name + #":[ \t]+([^\s"'{\[|>&*!][^\r\n]*)"#),
            // An environment variable of a pod, in YAML or JSON.
            try RedactionRule(
                "assignment",
                #"(?i)\bname["']?\s*:\s*["']?[\w.-]*"# + name + #"["']?,?\s+["']?value["']?\s*:\s*(?:"# + quoted + #"|([^\s"'][^\r\n]*))"#),
            try RedactionRule("assignment", #"<[\w:.-]*"# + name + #">([^<>]+)</"#),
            try RedactionRule(
                "option",
                #"(?i)(?:^|[\s"'\[,\x00])--?(?:[a-z0-9]+-)*(?:passw(?:or)?d|passphrase|pass|token|secret|(?:api|access|secret)-?key)"#
                    + #"(?:["']?,[ \t]*["']?|["']?[ \t\x00]+["']?)([^\s"'\x00-][^\s"'\x00]*)"#),
            try RedactionRule("option", #"(?:^|[\s"'])(?:-u[ =]?|(?:--user|--proxy-user)[ =])["']?[^\s:"']+:([^\s"']*[^\s"'0-9][^\s"']*)"#),
            try RedactionRule(
                "authorization", #"(?i)authorization["'\\]{0,4}[ \t]*[:=][ \t]*["'\\]{0,4}(?:[a-z][a-z0-9-]*[ \t]+)?([^\r\n"'\\]+)"#),
            try RedactionRule("authorization", #"(?i)\b(?:bearer|basic)[ \t]+([a-z0-9._~+/=-]{16,})"#),
            try RedactionRule("cookie", #"(?i)\b(?:set-)?cookie["']?[ \t]*:[ \t]*["']?([^\r\n"']+)"#),
            try RedactionRule("url", #"://[^\s/:@"'<>]*:([^\s/@"'<>]+)@"#),
            try RedactionRule("aws-key", #"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"#),
            try RedactionRule("jwt", #"\b(eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*)"#),
            try RedactionRule(
                "provider-token",
                #"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abposr]-[A-Za-z0-9-]{10,}"#
                    + #"|AIza[0-9A-Za-z_-]{35}|[rs]k_live_[0-9A-Za-z]{16,}|npm_[A-Za-z0-9]{36})"#),
            try RedactionRule(
                "private-key",
                #"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?s:.*?))(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)"#,
                extent: .block),
        ]
    }

    /// Values that are no secret whatever their name.
    static let innocent: Set<[UInt8]> = Set(
        ["null", "nil", "none", "<none>", "true", "false", "unset", "undefined", "redacted"].map { Array($0.utf8) })
}
