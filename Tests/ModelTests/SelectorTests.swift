import Model
import Testing

@Suite struct SelectorTests {
    static let labels = ["app": "web", "tier": "front", "example.com/zone": "a"]

    @Test(arguments: [
        ("", true), ("app=web", true), ("app==web", true), ("app=db", false), ("app!=db", true), ("missing!=db", true), ("app", true),
        ("!app", false),
        ("!missing", true), ("app in (db, web)", true), ("app in (db)", false), ("app notin (db)", true), ("missing notin (db)", true),
        ("missing in (db)", false), ("app=web,tier=front,example.com/zone=a", true), ("app=web,tier=back", false), ("missing=", false),
    ])
    func matches(_ text: String, _ expected: Bool) throws {
        let selector = try LabelSelector(parsing: text)
        #expect(selector.matches(Self.labels) == expected)
        #expect(try LabelSelector(parsing: selector.description) == selector)
    }

    @Test(arguments: [
        "app=web,", ",", "a b", "app in web", "app in (web", "app in ()", "app notin ( )", "-app", "app=we b", "app>3", "a/b/c=d",
        String(repeating: "a,", count: 3000),
    ])
    func refuses(_ text: String) {
        #expect(throws: SelectorError.self) { try LabelSelector(parsing: text) }
    }

    @Test func fieldsOfTheKindAndNoOthers() throws {
        let selector = try FieldSelector(parsing: "status.phase!=Failed,metadata.name=a", selectable: ["status.phase"])
        #expect(selector.matches(name: "a", namespace: "", fields: [:]))
        #expect(!selector.matches(name: "a", namespace: "", fields: ["status.phase": "Failed"]))
        #expect(!selector.matches(name: "b", namespace: "", fields: [:]))
        #expect(throws: SelectorError.self) { try FieldSelector(parsing: "spec.x=1", selectable: ["status.phase"]) }
        #expect(throws: SelectorError.self) { try FieldSelector(parsing: "status.phase", selectable: ["status.phase"]) }
    }
}

@Suite struct FieldSelectorTextTests {
    @Test(arguments: [
        ("metadata.name=a", "a"), ("metadata.name==a", "a"), ("metadata.name=", ""), (#"metadata.name=a\,b\=c\\"#, #"a,b=c\"#),
        (",metadata.name=a!b,", "a!b"),
    ])
    func readsBackAsItself(_ text: String, _ value: String) throws {
        let selector = try FieldSelector(parsing: text, selectable: [])
        #expect(selector.requirements == [FieldSelector.Requirement(field: "metadata.name", value: value)])
        #expect(try FieldSelector(parsing: selector.description, selectable: []) == selector)
    }

    @Test(arguments: ["metadata.name===a", "metadata.name=a=b", #"metadata.name=a\"#, #"metadata.name=a\b"#, "=a", "metadata.name!a"])
    func refuses(_ text: String) {
        #expect(throws: SelectorError.self) { try FieldSelector(parsing: text, selectable: []) }
    }
}

@Suite struct NamesTests {
    @Test(arguments: ["a", "web-07", "a.b-c.d0", String(repeating: "a", count: 253)])
    func subdomains(_ name: String) {
        #expect(Names.subdomainFault(name) == nil)
    }

    @Test(arguments: ["", "A", "-a", "a-", "a..b", ".a", "../etc", "a/b", "a\nb", "a b", "ä", String(repeating: "a", count: 254)])
    func notSubdomains(_ name: String) {
        #expect(Names.subdomainFault(name) != nil)
    }

    @Test func nearestNames() {
        #expect(NearestName.find("deleted-opn", among: ["df", "deleted-open", "top-dirs"]) == "deleted-open")
        #expect(NearestName.find("completely-else", among: ["df", "deleted-open"]) == nil)
        #expect(NearestName.find("same", among: ["same"]) == nil)
    }
}
