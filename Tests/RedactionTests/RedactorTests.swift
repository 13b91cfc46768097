import JSONCoding
import RegularExpressions
import Testing

@testable import Redaction

@Suite struct RedactorTests {
    private let redactor: Redactor

    init() throws { redactor = try Redactor() }

    @Test(arguments: [
        ("password=hunter2 user=bob", "password=[redacted] user=bob"),
        ("DB_PASSWORD: hunter2", "DB_PASSWORD: [redacted]"),
        ("db_password: correct horse battery\nx: y", "db_password: [redacted]\nx: y"),
        (#"{"password": "a\"b c", "n": 1}x"#, #"{"password": "[redacted]", "n": 1}x"#),
        (#"log: {\"token\":\"abc\",\"n\":1}"#, #"log: {\"token\":\"[redacted]\",\"n\":1}"#),
        ("token: 'a b'", "token: '[redacted]'"),
        ("https://x/y?api_key=abc&page=2", "https://x/y?api_key=[redacted]&page=2"),
        ("<db:password>x y</db:password>", "<db:password>[redacted]</db:password>"),
        ("mysqldump --password hunter2 --all", "mysqldump --password [redacted] --all"),
        ("mysqldump --password=hunter2 --all", "mysqldump --password=[redacted] --all"),
        (#"["--client-secret","abc","-v"]x"#, #"["--client-secret","[redacted]","-v"]x"#),
        ("run\0--token\0abc\0-v", "run\0--token\0[redacted]\0-v"),
        ("curl -u bob:hunter2 https://x", "curl -u bob:[redacted] https://x"),
        ("curl -ubob:hunter2 https://x", "curl -ubob:[redacted] https://x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
        ("> authorization: Basic dXNlcjpwYXNz\r\n> Accept: */*", "> authorization: Basic [redacted]\r\n> Accept: */*"),
        ("curl -H 'Authorization: Token abc' https://x", "curl -H 'Authorization: Token [redacted]' https://x"),
        ("sent bearer 0123456789abcdef0123", "sent bearer [redacted]"),
        ("Set-Cookie: sid=abc; Path=/\nnext", "Set-Cookie: [redacted]\nnext"),
        ("key AKIAIOSFODNN7EXAMPLE.", "key [redacted]."),
        ("postgres://bob:hunter2@db:5432/x", "postgres://bob:[redacted]@db:5432/x"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl end", "jwt [redacted] end"),
        ("clone ghp_0123456789abcdefghijABCDEFGHIJ012345", "clone [redacted]"),
        (
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nb",
            "a\n-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nb"
        ),
        ("- name: DB_PASSWORD\n  value: hunter2\n", "- name: DB_PASSWORD\n  value: [redacted]\n"),
        ("\"name\": \"API_TOKEN\",\n  \"value\": \"abc\"\n", "\"name\": \"API_TOKEN\",\n  \"value\": \"[redacted]\"\n"),
        (#"{"value":"abc","name":"API_TOKEN"}x"#, #"{"value":"[redacted]","name":"API_TOKEN"}x"#),
        (#"{"name":"API_TOKEN","value":"abc","x":1"#, #"{"name":"API_TOKEN","value":"[redacted]","x":1"#),
        (#"{"name":"API_TOKEN","value":7},"x":1"#, #"{"name":"API_TOKEN","value":"[redacted]"},"x":1"#),
        (#"{"value":7,"name":"API_TOKEN"},"x":1"#, #"{"value":"[redacted]","name":"API_TOKEN"},"x":1"#),
        (#"{"password":12345678,"items":[1]"#, #"{"password":"[redacted]","items":[1]"#),
        (#"[{"password":12345678}]]"#, #"[{"password":"[redacted]"}]]"#),
        (#"\"password\":12345678,\"n\":1"#, #"\"password\":"# + #"\"[redacted]\",\"n\":1"#),
        (#"{"passwords":["a","b"],"n":1"#, #"{"passwords":["[redacted]"],"n":1"#),
        ("- value: a b\n  name: API_TOKEN\n", "- value: [redacted]\n  name: API_TOKEN\n"),
        ("x LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF y", "x [redacted] y"),
        ("client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF\nx: y", "client-key-data: [redacted]\nx: y"),
        ("tls.key: TUlJRQ==\nx: y", "tls.key: [redacted]\nx: y"), (".dockerconfigjson: e30=\n", ".dockerconfigjson: [redacted]\n"),
        (#""auth": "dXNlcjpwYXNzd29yZA==""#, #""auth": "[redacted]""#),
        ("password: |\n  a b\nx: y", "password: |\n  [redacted]\nx: y"), ("passwords: [a, b]\n", "passwords: [[redacted]]\n"),
        ("x token:=hunter2 y", "x token:=[redacted] y"), ("x token: =hunter2 y", "x token: =[redacted] y"),
        ("mysql -pabc db", "mysql -p[redacted] db"), ("redis-cli -h db -a abc ping", "redis-cli -h db -a [redacted] ping"),
        ("SSHPASS=abc sshpass -e ssh x", "SSHPASS=[redacted] sshpass -e ssh x"),
        ("tokens: abc", "tokens: [redacted]"), ("SECRET_KEY_BASE=abc", "SECRET_KEY_BASE=[redacted]"),
        ("{'password': b'abc', 'n': 1}", "{'password': b'[redacted]', 'n': 1}"),
        ("{'password': 7, 'n': 1}", "{'password': [redacted], 'n': 1}"),
        (#"password => "abc""#, #"password => "[redacted]""#), (#"password := "abc""#, #"password := "[redacted]""#),
        (#"<password type="x">abc</password>"#, #"<password type="x">[redacted]</password>"#),
        ("mysql -u root -pabc db", "mysql -u root -p[redacted] db"), ("sshpass -p abc ssh x", "sshpass -p [redacted] ssh x"),
        ("curl --user=admin:123456 https://x", "curl --user=admin:[redacted] https://x"),
        ("key sk-ant-api03-abcdefghijklmnop", "key [redacted]"),
        ("https://hooks.slack.com/services/T000/B000/abcdefgh", "https://hooks.slack.com/services/[redacted]"),
        ("root:$6$salt$abcdefghijkl:19000:0:::", "root:[redacted]:19000:0:::"),
        ("root:$y$j9T$abcdefgh$ijkl:19000:0:::", "root:[redacted]:19000:0:::"),
        ("\u{1B}[1mpassword\u{1B}[0m=abc x", "\u{1B}[1mpassword\u{1B}[0m=[redacted] x"),
        ("password\u{1B}[0m: \u{1B}[32mabc\u{1B}[0m", "password\u{1B}[0m: \u{1B}[32m[redacted]\u{1B}[0m"),
    ]) func secretsAreReplaced(text: String, expected: String) {
        let (clean, counts) = redactor.redacted(text)
        #expect(clean == expected)
        #expect(counts.total == 1, "\(counts)")
        let again = redactor.redacted(clean)
        #expect(again.text == clean && again.counts.total == 0, "twice is once")
    }

    @Test(arguments: [
        "secretName: web-tls", "max_tokens=100", "PWD=/root OLDPWD=/tmp", "password: null", #"{"token": true, "secret": ""}"#,
        "user=bob:x id=7", "docker run -u 1000:1000 img", "https://host:8080/path?q=a@b", "basic auth is off", "password=****",
        "token_count: 5", "passed: 3", "/etc/secrets/tls.key", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "stat: /etc/passwd: denied", "mysql -u root -p -h db", "max-tokens: 5", "mysqld --print-defaults -port 3306", "auth: Password",
        #""auth": "enabled""#,
        "kubelet[812]: E0601 error syncing pod",
    ]) func othersStay(text: String) {
        let (clean, counts) = redactor.redacted(text)
        #expect(clean == text && counts.total == 0)
    }

    @Test func aSecretBehindAMarkIsFound() {
        #expect(redactor.redacted("token=\"[redacted] password=hunter2\"").text == "token=\"[redacted]\"")
        let block = "-----BEGIN PRIVATE KEY-----"
        #expect(redactor.redacted("\(block)[redacted]\n\(block)\nMIIE").text == "\(block)[redacted]\n\(block)[redacted]")
    }

    @Test func jsonStaysJSON() throws {
        let value: JSON = [
            "password": 12345, "token": .null, "nested": ["clientSecret": ["a", "b"]], "text": "password=x y",
            "env": [["name": "DB_PASSWORD", "value": "hunter2"], ["name": "HOME", "value": "/root"]],
            "secret": .object(["kind": "Secret", "data": ["tls.key": "TUlJ"]]), "inner": "{\"api_key\":7}",
        ]
        let (text, counts) = redactor.redacted(String(decoding: value.encoded(), as: UTF8.self))
        let clean = try JSON(parsing: Array(text.utf8))
        #expect(clean["password"] == "[redacted]" && clean["token"] == .null)
        #expect(clean[path: "nested", "clientSecret"] == ["[redacted]", "[redacted]"])
        #expect(clean["text"] == "password=[redacted] y")
        #expect(clean["env"] == [["name": "DB_PASSWORD", "value": "[redacted]"], ["name": "HOME", "value": "/root"]])
        #expect(clean[path: "secret", "kind"] == "[redacted]" || clean[path: "secret", "data", "tls.key"] == "[redacted]")
        #expect(clean["inner"] == #"{"api_key":"[redacted]"}"#)
        #expect(counts.total >= 7)
    }

    /// A command line as an array: the value stands in an item of its own.
    @Test func argumentsInAnArray() {
        let line: JSON = [
            "app", "--db-password", "hunter2", "--token", "--verbose", "-x", "--api-key", "null", "--secret", 7, "secret", "shown",
        ]
        let (clean, counts) = redactor.redacted(line)
        #expect(
            clean
                == [
                    "app", "--db-password", "[redacted]", "--token", "--verbose", "-x", "--api-key", "null", "--secret", 7, "secret",
                    "shown",
                ])
        #expect(counts.byRule == ["option": 1])
        #expect(redactor.redacted(clean).value == clean, "twice is once")
    }

    @Test func patternsOfOnesOwn() throws {
        let own = try Redactor(patterns: [#"employee-(\d+)"#, "XYZZY[0-9]{4}"])
        let (text, counts) = own.redacted("employee-4711 has XYZZY1234 and password=x")
        #expect(text == "employee-[redacted] has [redacted] and password=[redacted]")
        #expect(counts.byRule == ["custom": 2, "assignment": 1])
        for wrong in ["(", "a*", String(repeating: "a", count: 5000)] {
            #expect(throws: PatternError.self) { try Redactor(patterns: [wrong]) }
        }
        #expect(throws: PatternError.self) { try Redactor(patterns: Array(repeating: "a", count: 65)) }
    }

    @Test func namesOfRulesAreKnown() throws {
        #expect(Set(try Redactor(patterns: ["a"]).groups.flatMap(\.rules).map(\.name)) == Set(Redactor.ruleNames))
    }
}
