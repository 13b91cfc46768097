import RegularExpressions

/// What is a secret unless somebody says more. A NUL ends a value as the end of a line does: it is what separates variables and arguments in `/proc`.
enum DefaultSecrets {
    /// The end of a name whose value is a secret: `DB_PASSWORD`, `client-secret`, `apiKey`, but neither `secretName` nor `max_tokens`.
    static let name =
        "(?i:passw(?:or)?ds?|passphrase|[_.-](?:pass|pwd)|secret|token|(?:access|auth|api|refresh|bearer)[_-]?tokens|(?m:^|[\\s\"',{\\x00])tokens"
        + "|api[_-]?keys?|credentials?|(?:access|private|secret|encryption|account|shared)[_-]?key|secret[_-]?key[_-]?base"
        + "|sshpass|client-key-data|tls\\.key|\\.docker(?:configjson|cfg))"
    /// The value of `auth` in a registry's configuration: the base64 of a user and a password.
    static let encodedLogin = "[a-z0-9+/]{0,64}[A-Z][A-Za-z0-9+/_-]{10,}={0,2}"

    private static let quoted =
        #"[bBrRuU]{0,2}"((?:[^"\\\r\n\x00]|\\[^\r\n\x00])+)|[bBrRuU]{0,2}'([^'\r\n\x00]+)|\\{1,3}"([^"\\\r\n\x00]+)"#
    private static let quotedToItsEnd =
        #"(?:"((?:[^"\\\r\n\x00]|\\[^\r\n\x00])+)"|'([^'\r\n\x00]+)'|\\{1,3}"([^"\\\r\n\x00]+)\\{1,3}")"#
    private static let bare = #"[^\s"'\\&<>={}\[\]()|\x00\x1b][^\s"'&<>\x00\x1b]*"#
    /// A bare value of JSON.
    private static let item = #"[^\s"'\\&<>={}\[\](),|\x00][^\s"'\\&<>{}\[\],\x00]*"#
    private static let items = #"\[\s*([^\s\[\]\x00][^\[\]\x00]*)\]"#
    private static let blank = #"[ \t]{0,8}"#
    private static let equals = blank + #"(?::[ \t]{0,8}={0,2}|={1,3}>?)"# + blank
    /// Colours of a terminal.
    private static let colours = #"(?:(?:\x1b|\\u001[bB])\[[0-9;]{0,12}m){0,3}"#
    private static let lineStart = #"(?m:^|\x00)"#
    /// `name: …PASSWORD` of a variable, in JSON.
    private static let jsonName = #"name\\{0,3}["']\s*:\s*\\{0,3}["'][\w.-]*"# + name + #"\\{0,3}["']"#

    static func groups() throws(PatternError) -> [RuleGroup] {
        [
            RuleGroup(try assignments() + variables(), isTriedTogether: false), RuleGroup(try options()), RuleGroup(try headers()),
            RuleGroup(try forms()),
        ]
    }

    private static func assignments() throws(PatternError) -> [RedactionRule] {
        [
            // name=value, name: value, "name": "value", \"name\": \"value\"; a path is no name.
            try RedactionRule(
                "assignment",
                "/etc/passwd|" + name + #"(?:\\{0,3}["']?"# + colours + equals + colours + "(?:" + quoted + ")|" + colours + equals
                    + colours
                    + "(" + bare + ")|'" + equals + "(" + item + ")|'?" + equals + items + ")"),
            // "name": 7, "name": [7]
            try RedactionRule(
                "assignment", name + #"(\\{0,3})""# + blank + ":" + blank + "(?:(" + item + ")|" + items + ")", extent: .item),
            // A YAML scalar with blanks in it, to the end of its line, and the first line of a block.
            try RedactionRule(
                "assignment",
                lineStart + #"[ \t-]*[\w.-]*"# + name + #":(?:[ \t]+([^\s"'{\[|>&*!\x00][^\r\n\x00]*)"#
                    + #"|[ \t]*[|>][0-9+-]{0,2}[ \t]*\r?\n[ \t]+([^\s\x00][^\r\n\x00]*))"#),
            // In /proc/PID/environ a value ends at the NUL alone.
            try RedactionRule("assignment", #"\x00[\w.-]*"# + name + #"=([^\x00\r\n]+)"#, literals: ["\0"]),
            try RedactionRule("assignment", #"<[\w:.-]*"# + name + #"(?:\s[^<>\x00]*)?>([^<>\x00]+)</"#, literals: ["</"]),
            try RedactionRule("assignment", #"\bauth\\{0,3}["']?\s*:\s*\\{0,3}["']?("# + encodedLogin + ")", literals: ["auth"]),
        ]
    }

    /// Environment variables of a pod.
    private static func variables() throws(PatternError) -> [RedactionRule] {
        let yamlName = #"name["']?\s*:\s*["']?[\w.-]*"# + name + #"["']?"#
        let literals = ["value", "Value", "VALUE"]
        return [
            try RedactionRule(
                "assignment",
                #"(?i)\b"# + yamlName + #",?\s+(?:["']?value["']?\s*:\s*(?:"# + quoted
                    + #")|value\s*:\s*(?:([^\s"'|>\x00][^\r\n\x00]*)|[|>][0-9+-]{0,2}[ \t]*\r?\n[ \t]+([^\s\x00][^\r\n\x00]*)))"#,
                literals: literals),
            try RedactionRule(
                "assignment", #"(?i)\b"# + jsonName + #"\s*,\s*\\{0,3}["']value\\{0,3}["']\s*:\s*(?:"# + quoted + ")",
                literals: literals),
            try RedactionRule(
                "assignment", #"(?i)\b"# + jsonName + #"\s*,\s*\\{0,3}["']value(\\{0,3})["']\s*:\s*("# + item + ")", extent: .item,
                literals: literals),
            try RedactionRule(
                "assignment", #"(?i)["']value\\{0,3}["']\s*:\s*"# + quotedToItsEnd + #"\s*,\s*\\{0,3}["']"# + jsonName, literals: literals),
            try RedactionRule(
                "assignment", #"(?i)["']value(\\{0,3})["']\s*:\s*("# + item + #")\s*,\s*\\{0,3}["']"# + jsonName, extent: .item,
                literals: literals),
            try RedactionRule(
                "assignment",
                "(?i)" + lineStart
                    + #"[ \t-]*value:[ \t]+(?:"([^"\r\n\x00]+)"|'([^'\r\n\x00]+)'|([^\s"'|>\x00][^\r\n\x00]*))[ \t]*\r?\n[ \t]*"#
                    + yamlName + #"(?m:[ \t\r]*$)"#, literals: literals),
        ]
    }

    private static func options() throws(PatternError) -> [RedactionRule] {
        [
            try RedactionRule(
                "option",
                #"(?i)(?:^|[\s"'\[,\x00])--?(?:[a-z0-9]+-)*(?:passw(?:or)?d|passphrase|pass|token|secret|(?:api|access|secret)-?key)"#
                    + #"(?:["']?,[ \t]*["']?|["']?[ \t\x00]+["']?)([^\s"'\x00-][^\s"'\x00]*)"#),
            try RedactionRule(
                "option",
                #"(?:^|[\s"'\x00])(?:-u[ =\x00]?|(?:--user|--proxy-user)[ =\x00])["']?[^\s:"'\x00]+:([^\s"'\x00]*[^\s"'0-9\x00][^\s"'\x00]*)"#
            ),
            // A password of digits alone is none behind a user of another program: docker run -u 1000:1000.
            try RedactionRule(
                "option",
                #"\b(?:curl|wget)\b[^\r\n]*?[\s"'\x00](?:-u["',\s=\x00]*|--(?:proxy-)?user["',\s=\x00]+)[^\s"':\x00]+:([^\s"'\x00]+)"#),
            try RedactionRule(
                "option",
                #"\b(?:sshpass["',\s\x00]+-p["',\s\x00]*|redis-cli["'\s\x00](?:[^\r\n]*?[\s"'\x00])??-a["',\s\x00]+)"#
                    + #"([^\s"',\x00-][^\s"'\x00]*)"#
            ),
            try RedactionRule(
                "option",
                #"\b(?:mysql(?:dump|admin|import|check|show|slap|pump|binlog|sh)?|mariadb(?:-[a-z]+)?)"#
                    + #"["'\s\x00](?:[^\r\n]*?[\s"'\x00])??-p["']?([^\s"'\x00]+)"#
            ),
        ]
    }

    private static func headers() throws(PatternError) -> [RedactionRule] {
        [
            try RedactionRule(
                "authorization", #"(?i)authorization["'\\]{0,4}[ \t]*[:=][ \t]*["'\\]{0,4}(?:[a-z][a-z0-9-]*[ \t]+)?([^\r\n"'\\\x00]+)"#),
            try RedactionRule("authorization", #"(?i)\b(?:bearer|basic)[ \t]+([a-z0-9._~+/=-]{16,})"#),
            try RedactionRule("cookie", #"(?i)\b(?:set-)?cookie["']?[ \t]*:[ \t]*["']?([^\r\n"'\x00]+)"#),
            try RedactionRule("url", #"://[^\s/:@"'<>\x00]*:([^\s/@"'<>\x00]+)@"#),
            try RedactionRule("url", #"\bhooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{8,})"#),
        ]
    }

    /// Secrets that their own form tells.
    private static func forms() throws(PatternError) -> [RedactionRule] {
        [
            try RedactionRule("aws-key", #"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"#),
            try RedactionRule("jwt", #"\b(eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*)"#),
            try RedactionRule(
                "provider-token",
                #"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abposr]-[A-Za-z0-9-]{10,}"#
                    + #"|AIza[0-9A-Za-z_-]{35}|[rs]k_live_[0-9A-Za-z]{16,}|npm_[A-Za-z0-9]{36}|sk-(?:ant|proj)-[A-Za-z0-9_-]{16,})"#),
            try RedactionRule(
                "password-hash", #"(\$(?:1|2[abxy]|5|6|7|y|gy|argon2id?)\$[./A-Za-z0-9$=,+-]{8,})"#),
            try RedactionRule(
                "private-key",
                #"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?s:.*?))(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)"#,
                extent: .block),
            // A PEM block in base64, as in a kubeconfig; which kind it is of shows too late in it.
            try RedactionRule(
                "private-key",
                #"\b(LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]{16,}(?:\r?\n[ \t]*[A-Za-z0-9+/]{64,76})*(?:\r?\n[ \t]*[A-Za-z0-9+/]{2,75}={1,2})?)"#),
        ]
    }

    /// Values that are no secret whatever their name.
    static let innocent: Set<[UInt8]> = Set(
        ["null", "nil", "none", "<none>", "true", "false", "unset", "undefined", "redacted"].map { Array($0.utf8) })
}
