import JSONCoding
import Testing

@testable import Redaction

/// Whole texts: JSON, JSON within text, Secrets in YAML, variables and arguments that a NUL separates.
@Suite struct DocumentTests {
    private let redactor: Redactor

    init() throws { redactor = try Redactor() }

    private func redacted(_ text: String) -> (text: String, count: Int) {
        let (clean, counts) = redactor.redacted(document: Array(text.utf8))
        let again = redactor.redacted(document: clean)
        #expect(again.bytes == clean && again.counts.total == 0, "twice is once: \(String(decoding: again.bytes, as: UTF8.self))")
        return (String(decoding: clean, as: UTF8.self), counts.total)
    }

    @Test(arguments: [
        (#"{"items":[{"name":"DB_PASSWORD","value":"X"}]}"# + "\n", #"{"items":[{"name":"DB_PASSWORD","value":"[redacted]"}]}"# + "\n"),
        (
            "{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"foo\": \"X\"\n  }\n}\n",
            "{\n  \"data\": {\n    \"foo\": \"[redacted]\"\n  },\n  \"kind\": \"Secret\"\n}\n"
        ),
        (#"{"password":["X",{"b":"Y"}]}"#, #"{"password":["[redacted]",{"b":"[redacted]"}]}"#),
        (#"{"x":"{\"name\":\"A_TOKEN\",\"value\":\"X\"}"}"#, #"{"x":"{\"name\":\"A_TOKEN\",\"value\":\"[redacted]\"}"}"#),
        (
            #"{"password":12345678,"items":[{"kind":"Secret","data":{"a":"X"}}]}"#,
            #"{"items":[{"data":{"a":"[redacted]"},"kind":"Secret"}],"password":"[redacted]"}"#
        ),
        (#"{"auths":{"registry":{"auth":"dXNlcjpwYXNzd29yZA=="}}}"#, #"{"auths":{"registry":{"auth":"[redacted]"}}}"#),
        (
            #"{"Authorization":["Bearer X"],"authorization":{"mode":"RBAC"}}"#,
            #"{"Authorization":["Bearer [redacted]"],"authorization":{"mode":"RBAC"}}"#
        ),
        (#"{"/etc/passwd":"root:x","AKIAIOSFODNN7EXAMPLE":1}"#, #"{"/etc/passwd":"root:x","[redacted]":1}"#),
        (#"["sshpass","-p","X","mysql","-pX","-u","root"]"#, #"["sshpass","-p","[redacted]","mysql","-p[redacted]","-u","root"]"#),
        (
            #"{"volumes":[{"secret":{"secretName":"web-tls"}},{"serviceAccountToken":{"path":"t"}}],"secret":{"a":"X"}}"#,
            #"{"secret":{"a":"[redacted]"},"volumes":[{"secret":{"secretName":"web-tls"}},{"serviceAccountToken":{"path":"t"}}]}"#
        ),
        (#"{"n": 1.50, "a": [ ]}"#, #"{"n": 1.50, "a": [ ]}"#),
    ]) func jsonIsCleanedByItsStructure(text: String, expected: String) throws {
        #expect(redacted(text).text == expected)
    }

    @Test func aNameThatIsTakenGetsANumber() throws {
        let keys: JSON = ["AKIAIOSFODNN7EXAMPLE": 1, "AKIAIOSFODNN7EXAMPLF": 2]
        #expect(redactor.redacted(keys).value == ["[redacted]": 1, "[redacted]-2": 2])
    }

    @Test func patternsOfOnesOwnReachOverJSON() throws {
        let own = try Redactor(patterns: [#""employee":(\d+)"#])
        let (clean, counts) = own.redacted(document: Array(#"{"employee":4711}"#.utf8))
        #expect(String(decoding: clean, as: UTF8.self) == #"{"employee":[redacted]}"# && counts.byRule == ["custom": 1])
    }

    @Test func jsonWithinTextIsCleanedByItsStructure() {
        let text = """
            {"a":1}
            {"kind":"Secret","data":{"x":"X"}}
            12:00 stdout F {"password":["X"],"n":1} tail
            == next ==
            {
              "kind": "Secret",
              "data": {"y": "X"}
            }
            nginx { listen 80; }

            """
        let expected = """
            {"a":1}
            {"data":{"x":"[redacted]"},"kind":"Secret"}
            12:00 stdout F {"password":["[redacted]"],"n":1} tail
            == next ==
            {
              "data": {
                "y": "[redacted]"
              },
              "kind": "Secret"
            }
            nginx { listen 80; }

            """
        #expect(redacted(text) == (expected, 3))
    }

    @Test(arguments: [
        (
            "apiVersion: v1\ndata:\n  a: X\n  b: |\n    X\n    X\nkind: Secret\n",
            "apiVersion: v1\ndata:\n  a: [redacted]\n  b: [redacted]\nkind: Secret\n"
        ),
        (
            "kind: Secret\nstringData: {a: X}\n---\nkind: ConfigMap\ndata:\n  a: b\n",
            "kind: Secret\nstringData: [redacted]\n---\nkind: ConfigMap\ndata:\n  a: b\n"
        ),
        (
            "items:\n- data:\n    a: b\n  kind: ConfigMap\n- data:\n    a: X\n  kind: Secret\n- data:\n    a: b\n  kind: ConfigMap\n",
            "items:\n- data:\n    a: b\n  kind: ConfigMap\n- data:\n    a: [redacted]\n  kind: Secret\n- data:\n    a: b\n  kind: ConfigMap\n"
        ),
        ("password: |\n  X\n  X x\nnext: b\n", "password: |\n  [redacted]\nnext: b\n"),
        ("password: |\n  #X\n  X\nnext: b\n", "password: |\n  [redacted]\nnext: b\n"),
        ("kind: Secret # of mine\ndata:\n  a: X\n", "kind: Secret # of mine\ndata:\n  a: [redacted]\n"),
        ("passwords:\n- X\n- 'X'\nnext: b\n", "passwords:\n- [redacted]\n- [redacted]\nnext: b\n"),
    ]) func secretsInYAML(text: String, expected: String) {
        #expect(redacted(text).text == expected)
    }

    @Test func aNULSeparatesVariablesAndArguments() {
        #expect(
            redacted("PATH=/bin\0DB_PASSWORD=X y z\0HOME=/root\0password=\0X=y\0").text
                == "PATH=/bin\0DB_PASSWORD=[redacted]\0HOME=/root\0password=\0X=y\0")
        #expect(redacted("mysql\0-u\0bob\0-pX\0db\0").text == "mysql\0-u\0bob\0-p[redacted]\0db\0")
        #expect(redacted("A_TOKEN=X\0Cookie: X\0HOME=/root\0").text == "A_TOKEN=[redacted]\0Cookie: [redacted]\0HOME=/root\0")
    }

    @Test(.timeLimit(.minutes(1))) func timeIsLinear() {
        let hostile = [
            String(repeating: "kind: Secret\n", count: 40_000), String(repeating: "{\"password\":[\n", count: 40_000),
            String(repeating: "{ \"token\" {\n}\n", count: 40_000), String(repeating: "- kind: Secret\n  data:\n", count: 20_000),
            String(repeating: "\"value\":\"x\",", count: 40_000), String(repeating: "mysql curl ", count: 40_000),
            String(repeating: "[", count: 500_000) + "\"password\"", String(repeating: "password: |\n", count: 40_000),
        ]
        for text in hostile {
            let start = ContinuousClock.now
            _ = redactor.redacted(document: Array(text.utf8))
            #expect(ContinuousClock.now - start < .seconds(10), "\(text.prefix(30))")
        }
    }
}
