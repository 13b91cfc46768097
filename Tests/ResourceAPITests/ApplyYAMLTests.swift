import JSONCoding
import Testing

/// Server-side apply of YAML: what is one document is applied, and whatever else it may be changes nothing.
@Suite struct ApplyYAMLTests {
    private static let disk = APIFixture.operations + "/disk"
    private static let head = "apiVersion: diagnosis.kubediag.org/v1\nkind: Operation\n"
    private static let good =
        head + """
            metadata: {name: disk, labels: {a: "1"}}
            spec:
              effect: Read
              processor:
                scriptRunner:
                  script: |
                    #!/bin/sh
                    df *.log && ls

            """

    private func apply(_ api: APIFixture, _ text: String, _ query: String = "") async throws -> APIFixture.Answer {
        try await api.send(
            .patch, "\(Self.disk)?fieldManager=one\(query)", bytes: Array(text.utf8), type: "application/apply-patch+yaml")
    }

    @Test func oneDocument() async throws {
        try await withAPI { api in
            let created = try await apply(api, "---\n" + Self.good + "---\n# nothing\n").expect(201)
            #expect(created.json[path: "spec", "processor", "scriptRunner", "script"] == "#!/bin/sh\ndf *.log && ls\n")
            #expect(created.json[path: "metadata", "labels"] == ["a": "1"])
            let short = Self.head + "spec: {processor: {scriptRunner: {script: 'true'}}}\n"
            let changed = try await apply(api, short).expect(200)
            #expect(changed.json[path: "metadata", "labels"] == nil, "what is no longer said is gone")
            #expect(changed.json[path: "spec", "processor", "scriptRunner", "script"] == "true")
        }
    }

    @Test func anchorsAndMergeKeys() async throws {
        try await withAPI { api in
            let text =
                Self.head + """
                    metadata: {labels: &l {a: "1", b: "2"}, annotations: {<<: *l, b: "3"}}
                    spec: {processor: {scriptRunner: {script: x}}}
                    """
            let created = try await apply(api, text).expect(201)
            #expect(created.json[path: "metadata", "labels"] == ["a": "1", "b": "2"])
            #expect(created.json[path: "metadata", "annotations"] == ["a": "1", "b": "3"])
        }
    }

    @Test(arguments: ["{", "\n{ ", "{\n  # flow style\n  "]) func flowStyle(opening: String) async throws {
        try await withAPI { api in
            let text =
                opening + "apiVersion: diagnosis.kubediag.org/v1, kind: Operation, metadata: {},"
                + " spec: {processor: {scriptRunner: {script: x}}}}"
            let created = try await apply(api, text).expect(201)
            #expect(created.json[path: "spec", "processor", "scriptRunner", "script"] == "x")
        }
    }

    private static func bomb(asKey: Bool) -> String {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        return text + (asKey ? "? *a8\n: x\n? *a7\n: y\n" : "")
    }

    private static func refusals() -> [(text: String, words: String)] {
        [
            (good + "---\n" + good, "more than one document"), ("", "empty"), ("---\n...\n", "holds nothing"),
            ("# nothing\n", "holds nothing"),
            (good + "spec: {effect: Mutate}\n", "spec stands twice"),
            (good.replacing("labels: {a: \"1\"}", with: "labels: {a: \"1\", a: \"2\"}"), "a stands twice"), ("{", "not acceptable JSON"),
            ("{\"kind\": Operation}", "not acceptable JSON"), ("{kind: Operation, ", "not acceptable YAML"),
            (head + "metadata: {name: *none}\n", "YAML"), (head + "spec: [1", "line 4"), (head + "\tspec: 1", "YAML"),
            (head + "? [a, b]\n: 1\n", "a key that is no text"), (head + "spec: {<<: 1}\n", "takes mappings"), ("\u{0}", "YAML"),
            (head + "spec: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900), "nested more than 64"),
            (String(repeating: "[", count: 100_000), "YAML"), (bomb(asKey: false), "anchors and aliases"),
            (bomb(asKey: true), "anchors and aliases"),
            (head + "note: |\n" + String(repeating: "  x\n", count: 300_000), "more than 1048576 bytes"),
            ("text", "must be an object"), ("- a\n", "must be an object"), ("kind: Operation\n", "apiVersion"),
            (good.replacing("name: disk", with: "name: other"), "does not match the name on the URL"),
            (good.replacing("kubediag.org/v1", with: "kubediag.org/v2"), "apiVersion"),
        ]
    }

    @Test func whatIsRefused() async throws {
        try await withAPI { api in
            for existing in [false, true] {
                if existing { try await apply(api, Self.good).expect(201) }
                let before = try await api.store.currentRevision()
                for (text, words) in Self.refusals() {
                    let answer = try await apply(api, text)
                    #expect(answer.status == 400 && answer.json["kind"] == "Status", "\(text.prefix(100)): \(answer.status)")
                    #expect(answer.message.contains(words), "\(text.prefix(100)): \(answer.message)")
                }
                #expect(try await api.store.currentRevision() == before, "nothing was changed")
            }
        }
    }

    /// All faults of what can be read come at once, whatever the form.
    @Test func faultsAreListed() async throws {
        try await withAPI { api in
            let bad =
                Self.head + """
                    metadata: {labels: {"b c": x, a: \(String(repeating: "x", count: 64))}}
                    spec:
                      effect: on
                      processor:
                        timeoutSeconds: soon
                        scriptRunner: {script: 1}
                    """
            let answer = try await apply(api, bad)
            #expect(answer.status == 422 && answer.reason == "Invalid")
            let expected = [
                "metadata.labels", "metadata.labels", "spec.effect", "spec.processor.scriptRunner.script", "spec.processor.timeoutSeconds",
            ]
            let paths = answer.faultPaths.map { $0.hasPrefix("metadata.labels") ? "metadata.labels" : $0 }
            #expect(paths.sorted() == expected, "\(answer.json)")
            let unknown = try await apply(api, Self.good + "bogus: 1\nworse: {a: 1}\n", "&fieldValidation=Ignore")
            #expect(unknown.status == 400 && unknown.message.contains("bogus") && unknown.message.contains("worse"), "\(unknown.message)")
            #expect(try await api.send(.get, Self.disk).status == 404)
        }
    }

    /// The other patches are JSON alone.
    @Test(arguments: ["application/merge-patch+json", "application/json-patch+json"])
    func otherPatchesAreNoYAML(type: String) async throws {
        try await withAPI { api in
            try await apply(api, Self.good).expect(201)
            let answer = try await api.send(.patch, Self.disk, bytes: Array("spec: {effect: Mutate}\n".utf8), type: type)
            #expect(answer.status == 400 && answer.message.contains("JSON"))
        }
    }
}
