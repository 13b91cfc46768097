import HTTPMessage
import Model
import ResourceStore
import Testing

@testable import ResourceAPI

@Suite struct RequestOptionsTests {
    private func query(_ text: String) -> Query { Query(parsing: text) ?? [:] }

    @Test func writes() throws {
        #expect(try WriteOptions(query("fieldManager=x&pretty=true")).isDryRun == false)
        #expect(try WriteOptions(query("dryRun=All")).isDryRun)
        #expect(try WriteOptions(query("dryRun=")).isDryRun == false)
        #expect(try WriteOptions(query("")).fieldValidation == .warn)
        #expect(try WriteOptions(query("fieldValidation=Strict")).fieldValidation == .strict)
        for wrong in ["dryRun=Some", "dryRun=All&dryRun=x", "fieldValidation=strict"] {
            #expect(throws: APIError.self, "\(wrong)") { try WriteOptions(query(wrong)) }
        }
    }

    @Test func deletions() throws {
        let body = #"{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"7"},"dryRun":["All"]}"#
        let options = try DeleteOptions([:], body: Array(body.utf8))
        #expect(options.ifUID == UID("u"))
        #expect(options.ifRevision == 7)
        #expect(options.isDryRun)
        #expect(try DeleteOptions(query("propagationPolicy=Foreground"), body: []).ifUID == nil)
        for wrong in [
            #"[]"#, #"{"kind":"Pod"}"#, #"{"dryRun":[1]}"#, #"{"propagationPolicy":"Now"}"#, "{",
            #"{"preconditions":{"resourceVersion":"x"}}"#,
        ] {
            #expect(throws: APIError.self, "\(wrong)") { try DeleteOptions([:], body: Array(wrong.utf8)) }
        }
    }

    @Test func lists() throws {
        let options = try ListOptions(query("limit=5&labelSelector=a%3Db&fieldSelector=spec.x!%3D1"), selectable: ["spec.x"])
        #expect(options.limit == 5)
        #expect(options.labels.requirements == [.equals("a", "b")])
        #expect(options.fields.requirements == [.init(field: "spec.x", value: "1", isEqual: false)])
        #expect(try ListOptions(query("limit=0"), selectable: []).limit == nil)
        #expect(try ListOptions(query("resourceVersion=0"), selectable: []).freshness == .any)
        #expect(try ListOptions(query("resourceVersion=9"), selectable: []).freshness == .notOlderThan(9))
        #expect(try ListOptions(query("resourceVersion=9&resourceVersionMatch=Exact"), selectable: []).freshness == .exactly(9))
        #expect(try ListOptions(query("resourceVersion=9&limit=3"), selectable: []).freshness == .exactly(9))
        #expect(try ListOptions(query("resourceVersion=0&limit=3"), selectable: []).freshness == .any)
        #expect(
            try ListOptions(query("resourceVersion=9&limit=3&resourceVersionMatch=NotOlderThan"), selectable: []).freshness
                == .notOlderThan(9))
        for wrong in [
            "limit=-1", "limit=x", "labelSelector=a%3D%3D%3Db", "fieldSelector=spec.y%3D1", "resourceVersion=x", "resourceVersion=-1",
            "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=1&resourceVersionMatch=Other",
            "continue=x&resourceVersion=3", "sendInitialEvents=true",
        ] {
            let error = #expect(throws: APIError.self, "\(wrong)") { try ListOptions(query(wrong), selectable: ["spec.x"]) }
            #expect(error?.code == 400)
        }
    }

    @Test func watches() throws {
        #expect(try WatchOptions(query("watch=1")).start == .state)
        #expect(try WatchOptions(query("resourceVersion=0")).start == .state)
        #expect(try WatchOptions(query("resourceVersion=12")).start == .after(12))
        #expect(try WatchOptions(query("sendInitialEvents=false")).start == .now)
        let streaming = try WatchOptions(
            query("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=5"))
        #expect(streaming.start == .state)
        #expect(streaming.notOlderThan == 5)
        #expect(streaming.marksInitialState)
        #expect(try WatchOptions(query("timeoutSeconds=7")).seconds == 7)
        #expect(try WatchOptions(query("timeoutSeconds=999999")).seconds == WatchOptions.secondsMax)
        for _ in 0..<50 { #expect((1800...3600).contains(try WatchOptions(query("")).seconds)) }
        for wrong in [
            "timeoutSeconds=-1", "timeoutSeconds=x", "resourceVersion=1.5", "sendInitialEvents=true", "resourceVersionMatch=NotOlderThan",
        ] {
            #expect(throws: APIError.self, "\(wrong)") { try WatchOptions(query(wrong)) }
        }
    }

    @Test(arguments: [
        (String?.none, Representation.object), ("", .object), ("*/*", .object), ("application/json", .object),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", .table),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", .object), ("text/html, application/*;q=0.8", .object),
        ("application/vnd.kubernetes.protobuf, application/json", .object),
    ])
    func representations(accept: String?, expected: Representation) throws {
        #expect(try Representation(accept: accept) == expected)
    }

    @Test func unacceptable() {
        let error = #expect(throws: APIError.self) { try Representation(accept: "text/html") }
        #expect(error?.code == 406)
    }

    @Test func warningsStayOnTheirLine() {
        #expect(WarningField.values(["a \"b\" \\ c\r\nX: y"]) == ["299 - \"a \\\"b\\\" \\\\ c  X: y\""])
        let many = WarningField.values((0..<200).map { String(repeating: "é", count: 300) + "\($0)" })
        #expect(many.count == WarningField.fieldsMax + 1)
        #expect(many.allSatisfy { Headers.isValidValue($0) && $0.utf8.count < 300 })
    }

    @Test func generatedNames() {
        let names = (0..<100).map { _ in NameGenerator.name(prefix: "disk-") }
        #expect(Set(names).count == 100)
        #expect(names.allSatisfy { Names.subdomainFault($0) == nil && $0.count == 10 })
        #expect(NameGenerator.name(prefix: String(repeating: "x", count: 200)).utf8.count == 63)
        let uid = UID.random().rawValue
        #expect(uid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(uid)")
    }
}
