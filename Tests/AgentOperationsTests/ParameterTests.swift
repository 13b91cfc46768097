import AgentOperations
import Model
import Testing

@Suite struct ParameterTests {
    private static let window = Parameter<Double>.seconds("windowSeconds", 0.1...60, default: 1, "how long to watch")
    private static let pid = Parameter<Int>.required("pid", 2...4_194_304, "the process")
    private static let folder = Parameter<String?>.optional("folder", .absolutePath, "where to look")
    private static let deep = Parameter<Bool>.boolean("deep", default: false, "whether to look everywhere")
    private static let declaration = BuiltInDeclaration(
        "walker", "Walks.", parameters: [window.definition, pid.definition, folder.definition, deep.definition])

    private func context(_ values: [String: String], defaults: [String: String] = [:]) throws(BuiltInFault) -> BuiltInContext {
        try BuiltInContext(Self.declaration, values: values, defaults: defaults, timeoutSeconds: 1)
    }

    @Test func takesDefaultsWhereNothingIsGiven() throws {
        let context = try context(["pid": "42"])
        #expect(context[Self.window] == 1)
        #expect(context[Self.pid] == 42)
        #expect(context[Self.folder] == nil)
        #expect(!context.isGiven(Self.window))
    }

    @Test func prefersTheNarrowerKeyAndTheDiagnosisOverTheOperation() throws {
        let context = try context(
            ["walker.pid": "7", "pid": "8", "deep": ""], defaults: ["pid": "9", "folder": "/var", "deep": "true"])
        #expect(context[Self.pid] == 7)
        #expect(context[Self.folder] == "/var")
        #expect(context[Self.deep], "an empty value is as good as none")
    }

    @Test func tellsAllFaultsAtOnce() throws {
        let fault = #expect(throws: BuiltInFault.self) {
            try context(["windowSeconds": "1e9", "folder": "/var/../etc", "deep": "yes"])
        }
        guard case .parametersInvalid(let faults)? = fault else { return #expect(Bool(false), "\(String(describing: fault))") }
        #expect(faults.map(\.path) == ["windowSeconds", "pid", "folder", "deep"])
        #expect(faults.map(\.reason) == [.invalid, .required, .invalid, .invalid])
        #expect(faults[0].message == "must be a number from 0.1 to 60, not \"1e9\"")
    }

    @Test(arguments: ["-1", "1", "99999999999999999999", "0x10", "4 2", "NaN", "٣"])
    func refusesHostileNumbers(_ text: String) {
        #expect(throws: BuiltInFault.self) { try context(["pid": text]) }
    }

    @Test(arguments: ["etc", "/etc/../shadow", "/a\0b", "/tmp/../\u{301}x", "/a/..", "/" + String(repeating: "a", count: 4096)])
    func refusesHostilePaths(_ text: String) {
        #expect(throws: BuiltInFault.self) { try context(["pid": "2", "folder": text]) }
    }

    @Test func aPathBeginsWithTheByte() throws {
        let context = try context(["pid": "2", "folder": "/\u{301}x"])
        #expect(context[Self.folder] == "/\u{301}x")
    }

    @Test(arguments: ["--help", "a b", "a;b", "", "ä", "a/b", ".", "..", "a\\x2db"])
    func wordsAreNoOptionsAndNoPaths(_ text: String) {
        #expect(!TextRule.word().admits(text))
    }

    @Test func aUnitMayHaveAnEscapedName() {
        #expect(TextRule.unitName.admits("srv-my\\x2ddata.mount") && !TextRule.unitName.admits("-x") && !TextRule.unitName.admits(".."))
    }

    @Test(arguments: ["+5", "0x5", "0x1p3", "inf", "1_0", "５"]) func numbersAreDecimal(_ text: String) {
        let whole = Parameter<Int>.integer("n", 0...100, default: 1, "")
        let broken = Parameter<Double>.number("n", 0...100, default: 1, "")
        #expect(whole.definition.fault(text) != nil && broken.definition.fault(text) != nil)
        #expect(whole.definition.fault("5") == nil && broken.definition.fault("5.5e-1") == nil)
    }

    @Test func namesOperationsAsKubernetesDoes() {
        #expect(BuiltInDeclaration("podListCollector", "").resourceName == "pod-list-collector")
        #expect(BuiltInDeclaration("tcpHealth", "").operation.metadata.labels == [BuiltInDeclaration.builtInLabel: "tcpHealth"])
    }
}
