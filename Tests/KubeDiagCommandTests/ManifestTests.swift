import Foundation
import JSONCoding
import Model
import Testing

@testable import KubeDiagCommand

@Suite struct ManifestTests {
    func documents(_ text: String) throws -> [ManifestDocument] {
        try ManifestParser.parse(Array(text.utf8), file: "disk.yaml")
    }

    func faults(_ text: String) throws -> [String] {
        ManifestCheck.faults(try documents(text)).map(\.description)
    }

    static let playbook = """
        apiVersion: diagnosis.kubediag.org/v1
        kind: Operation
        metadata: {name: top-dirs}
        spec:
          effect: Read
          processor:
            timeoutSeconds: 120
            scriptRunner:
              argKeys: [mountpoint]
              operationResultKey: top
              script: |
                #!/bin/sh
                nice du -xk -- "$1"
        ---
        # the plain chain
        apiVersion: diagnosis.kubediag.org/v1
        kind: OperationSet
        metadata: {name: disk-full}
        spec: {sequence: [df, top-dirs]}
        """

    @Test func aPlaybookIsReadWithItsLines() throws {
        let found = try documents(Self.playbook)
        #expect(found.map(\.title) == ["Operation/top-dirs", "OperationSet/disk-full"])
        #expect(found[0].json[path: "spec", "processor", "timeoutSeconds"] == 120)
        #expect(found[0].json[path: "spec", "processor", "scriptRunner", "script"] == "#!/bin/sh\nnice du -xk -- \"$1\"\n")
        #expect(found[0].line(of: "spec.processor.timeoutSeconds") == 7)
        #expect(found[1].line(of: "spec.sequence[1]") == 19)
        #expect(found[1].line(of: "spec.nothing.here") == 19)
        #expect(try faults(Self.playbook) == [])
    }

    @Test(arguments: [
        ("no", JSON.bool(false)), ("\"no\"", .string("no")), ("0x10", .integer(16)), ("1.5", .number(1.5)), ("~", .null),
        ("2026-11-22", .string("2026-11-22")),
        ("1e400", .string("1e400")), (".inf", .string(".inf")), ("99999999999999999999", .string("99999999999999999999")),
        ("'12'", .string("12")),
        ("!!str 12", .string("12")), ("007x", .string("007x")),
    ])
    func scalars(text: String, value: JSON) throws {
        let found = try documents("kind: X\nvalue: \(text)\n")
        #expect(found[0].json["value"] == value)
    }

    @Test func anchorsMergeKeysListsAndEmptyDocumentsAreUnderstood() throws {
        let found = try documents(
            "---\n---\nkind: List\nitems:\n- {kind: A, x: &x {p: 1, q: 2}}\n- kind: B\n  y: {<<: {p: 1, q: 2}, q: 3}\n---\n~\n")
        #expect(found.map(\.kind) == ["A", "B"])
        #expect(found[1].json["y"] == ["p": 1, "q": 3])
    }

    @Test(arguments: [
        ("a: [1", 1...2), ("- a\n- b", 1...1), ("kind: A\nkind: B", 1...2), ("a: b: c", 1...1), ("text", 1...1), ("kind: A\n\tb: 1", 2...2),
    ])
    func whatIsNoManifestIsAFaultAtItsLine(text: String, lines: ClosedRange<Int>) throws {
        let fault = try #require(throws: ManifestFault.self) { try documents(text) }
        #expect(lines.contains(fault.line), "\(fault)")
    }

    @Test func aliasesOfAliasesDoNotFillTheMemory() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let fault = try #require(throws: ManifestFault.self) { try documents(text) }
        #expect(fault.message.contains("more than"))
    }

    @Test func everyFaultIsNamedAtItsLineWithWhatWasMeant() throws {
        let text = """
            apiVersion: diagnosis.kubediag.org/v1
            kind: Operation
            metadata: {name: x}
            spec:
              efect: Read
              processor:
                timeoutSeconds: soon
                scriptRunner: {script: "true", argkeys: [a]}
            ---
            apiVersion: diagnosis.kubediag.org/v1
            kind: OperationSets
            metadata: {name: y}
            ---
            apiVersion: diagnosis.kubediag.org/v1
            kind: Trigger
            spec: {}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: z}
            """
        let found = try faults(text)
        #expect(found.contains("disk.yaml:5 Operation/x spec.efect: is no field. Did you mean \"effect\"?"))
        #expect(found.contains("disk.yaml:8 Operation/x spec.processor.scriptRunner.argkeys: is no field. Did you mean \"argKeys\"?"))
        #expect(found.contains { $0.hasPrefix("disk.yaml:7 Operation/x spec.processor.timeoutSeconds:") })
        #expect(found.contains("disk.yaml:11 OperationSets/y kind: \"OperationSets\" does not exist. Did you mean \"OperationSet\"?"))
        #expect(found.contains("disk.yaml:14 Trigger/? metadata.name: is missing"))
        #expect(found.contains { $0.contains("this program applies diagnosis.kubediag.org/v1") })
        #expect(found.count == 6)
    }

    @Test func anObjectThatStandsTwiceIsAFault() throws {
        let found = try faults(Self.playbook + "\n---\n" + Self.playbook)
        #expect(found.count == 2)
        #expect(found[0].contains("stands at disk.yaml:1 already"))
    }

    @Test func filesOfAFolderMayRepeatAnObjectButNotContradictIt() throws {
        let folder = try Folder()
        let operation = "apiVersion: diagnosis.kubediag.org/v1\nkind: Operation\nmetadata: {name: log}\nspec:\n"
        let processor = "  processor: {httpServer: {path: /processor/kernelLog}}\n"
        try "# one\n\(operation)  effect: Read\n\(processor)".write(toFile: folder.path + "/a.yaml", atomically: true, encoding: .utf8)
        try "\(operation)\(processor)  effect: 'Read'\n".write(toFile: folder.path + "/b.yaml", atomically: true, encoding: .utf8)
        let same = try ManifestFiles.read([folder.path])
        #expect(same.map(\.file) == [folder.path + "/a.yaml"])
        #expect(ManifestCheck.faults(same) == [])

        try "\(operation)\(processor)  effect: Mutate\n".write(toFile: folder.path + "/c.yaml", atomically: true, encoding: .utf8)
        let found = ManifestCheck.faults(try ManifestFiles.read([folder.path])).map(\.description)
        #expect(found == ["\(folder.path)/c.yaml:3 Operation/log metadata.name: stands at \(folder.path)/a.yaml:2 already"])
    }

    @Test func whatOthersReferToIsAppliedFirst() throws {
        let text = ["Trigger", "OperationSet", "Operation", "Diagnosis", "Operation"].enumerated()
            .map { "kind: \($0.element)\nmetadata: {name: n\($0.offset)}" }.joined(separator: "\n---\n")
        let order = ApplyCommand.ordered(try documents(text)).map(\.name)
        #expect(order == ["n2", "n4", "n1", "n0", "n3"])
    }
}
